import { decide, decideAll } from "./decide";
import { receive } from "./layers/later";
import { openBanner, showPreferences } from "./layers/layers";
import { decision, on } from "./page/events";
import { guard } from "./page/guard";
import type { ConsentWidget } from "./public";
import { allowed, config, receiptUrl } from "./state/current";
import { complete } from "./state/state";

type Params = Record<string, unknown>;

/** A conversion of the site file, for the vendor that it is mapped to; held or dropped like any other call. */
function conversion(name: string, params?: Params): void {
  for (const { conversions } of config.vendors)
    for (const send_to of conversions?.[name] || []) (window as any).gtag("event", "conversion", { ...params, send_to });
}

/** The conversion that an element names. */
export function convert(element: HTMLElement | null): void {
  if (!element) return;
  const { conversion: name, value, currency, transactionId: transaction_id } = element.dataset;
  // By way of JSON, which leaves out what the element does not say.
  conversion(name!, JSON.parse(JSON.stringify({ value: value && +value, currency, transaction_id })));
}

const all = (action: string) => guard(() => decideAll(action, "api"));

export const api = {
  show: () => openBanner(),
  showPreferences,
  acceptAll: all("accept_all"),
  refuseAll: all("refuse_all"),
  withdraw: all("withdraw"),
  save: guard(({ grants, vendors }: { grants: Params; vendors?: Params }) =>
    decide("save", "api", complete(config, (key) => grants[key], (key) => vendors?.[key]))),
  allows: (key: string) => !!allowed(key),
  get decision() {
    return decision();
  },
  get receiptUrl() {
    return receiptUrl;
  },
  conversion: guard(conversion),
  on,
  _: receive,
} satisfies ConsentWidget & { _: unknown };
