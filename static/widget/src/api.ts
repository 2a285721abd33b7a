import { decide, decideAll } from "./decide";
import { receive } from "./layers/later";
import { openBanner, showPreferences } from "./layers/layers";
import { decision, on } from "./page/events";
import { guard, warn } from "./page/guard";
import type { ConsentWidget } from "./public";
import { allowed, config, receipt } from "./state/current";
import { complete } from "./state/state";

type Params = Record<string, unknown>;

/** A conversion of the site file, for each vendor that it is mapped to; held or dropped like any other call. */
export function conversion(name: string, params?: Params): void {
  const targets = config.vendors.flatMap(({ conversions }) => conversions?.[name] || []);
  if (!targets[0]) warn(`add ${name} to the site file: its calls are dropped`);
  for (const send_to of targets) (window as any).gtag("event", "conversion", { ...params, send_to });
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
    return receipt();
  },
  conversion: guard(conversion),
  on,
  _: receive,
} satisfies ConsentWidget & { _: unknown };
