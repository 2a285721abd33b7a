import { allowed, choice, config, receiptUrl } from "./current";
import { decide, decideAll } from "./decide";
import { guard, warn } from "./guard";
import { receive, show, showPreferences } from "./layers";
import { complete } from "./state";

type Listener = (decision: unknown) => void;
type Params = Record<string, unknown>;

let ready = false;

/** The decision as the site's own code sees it. */
export const decision = () => choice && {
  action: choice.action || kind(),
  grants: { ...choice.grants },
  vendors: { ...choice.vendors },
  at: new Date(choice.at * 1000).toISOString(),
  gpc: choice.gpc,
};

const kind = () => {
  const on = [...config.purposes, ...config.vendors].filter(({ key }) => allowed(key)).length;
  return !on ? "refuse_all" : on < config.purposes.length + config.vendors.length ? "save" : "accept_all";
};

export function tell(name: string): void {
  if (name == "ready") ready = true;
  document.dispatchEvent(new CustomEvent("consent:" + name, { detail: decision() }));
}

/** A conversion of the site file, for the vendor that it is mapped to; held or dropped like any other call. */
export function conversion(name: string, params?: Params): void {
  const found = config.vendors.filter((vendor) => vendor.conversions?.[name]);
  for (const { conversions } of found)
    (window as any).gtag("event", "conversion", { ...params, send_to: conversions![name] });
  if (!found[0]) warn("unknown conversion " + name);
}

export function convert({ target }: Event): void {
  const data = (target as Element).closest?.<HTMLElement>("[data-conversion]")?.dataset;
  if (data) conversion(data.conversion!, {
    ...(data.value && { value: +data.value }),
    ...(data.currency && { currency: data.currency }),
    ...(data.transactionId && { transaction_id: data.transactionId }),
  });
}

export const api = {
  show,
  showPreferences,
  acceptAll: guard(() => decideAll("accept_all", "api")),
  refuseAll: guard(() => decideAll("refuse_all", "api")),
  save: guard(({ grants, vendors }: { grants: Params; vendors?: Params }) =>
    decide("save", "api", complete(config, grants, vendors))),
  withdraw: guard(() => decideAll("withdraw", "api")),
  allows: (key: string) => !!allowed(key),
  get decision() {
    return decision();
  },
  get receiptUrl() {
    return receiptUrl;
  },
  conversion: guard(conversion),
  on(name: string, listener: Listener) {
    document.addEventListener("consent:" + name, (event) => listener((event as CustomEvent).detail));
    if (name == "ready" && ready) guard(listener)(decision());
  },
  _: guard(receive),
};
