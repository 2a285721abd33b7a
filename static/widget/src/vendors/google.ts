import type { Vendor } from "../state/config";
import type { Adapter, Ask, Call, Notice } from "./adapter";

/**
 * The seven Consent Mode types. Where Google vendors serve a purpose, one of them has to be granted:
 * a linked Analytics property collects for Ads on `ad_storage` alone.
 */
export function signals(notice: Notice, vendors: Vendor[], allows: Ask): Record<string, string> {
  const types: Record<string, string> = {};
  for (const type of ["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage", "personalization_storage"])
    types[type] = "denied";
  types.security_storage = "granted";
  for (const { key, signals: its } of notice.purposes) {
    const serving = vendors.filter(({ purposes }) => purposes.includes(key));
    // A vendor granted by itself, under purposes that are all denied, is granted for each of them.
    const on = serving[0]
      ? serving.some((vendor) => allows(vendor.key) && (allows(key) || !vendor.purposes.some(allows)))
      : allows(key);
    if (on) for (const type of its || []) types[type] = "granted";
  }
  return types;
}

/** What may pass of one gtag() call: all of it, a copy narrowed to open destinations, or nothing. */
export function sift(call: Call, open: (id: string, target: string) => unknown): Call | false {
  const [command, target, params] = call;
  const passes = (id: unknown) => {
    const destination = /^(G|AW|GTM?|DC)-[^/]*/.exec(id as string);
    return !destination || open(destination[0], target);
  };
  if (command == "consent" || command == "js" || !passes(target)) return false;
  const to = params?.send_to;
  if (!Array.isArray(to)) return !!passes(to) && call;
  const left = to.filter(passes);
  return !!left[0] && [command, target, { ...params, send_to: left }];
}

const google: Adapter = (notice, vendors, load, count) => {
  const page = window as any;
  const layer: unknown[] = (page.dataLayer = page.dataLayer || []);
  const held: Call[] = [];
  const ids: Record<string, unknown> = {};
  const own = new Set();
  const passed = new WeakSet();
  let raw = layer.push;
  let decided: boolean, started: boolean, gtag: boolean;

  /** Whether a destination is open. That it was asked for a conversion is counted. */
  const open = (id: string, event: string) => {
    for (const vendor of vendors)
      if (event == "conversion" && vendor.ids?.includes(id))
        count("conversions", { [ids[id] ? "sent" : "blocked"]: { [vendor.key]: 1 } });
    return ids[id];
  };

  // Google reads only an Arguments object; arrays and rest parameters are ignored without a word.
  const send = function () {
    passed.add(arguments);
    raw.call(layer, arguments);
  } as (...call: unknown[]) => void;

  const gate = (call: Call) => {
    if (!decided) return held.push(call);
    const [command, id, params] = call;
    const passing = sift(call, passed.has(call) ? (id) => ids[id] : open);
    // The page view of the widget's own `config` must not be sent again by the site's snippet.
    if (started && passing)
      send(...(command == "config" && own.delete(id) && document.readyState != "complete"
        ? [command, id, { ...params, send_page_view: false }]
        : passing));
  };

  // Page code may define gtag anew as the usual stub, and Google's script wraps push: stay outermost.
  const watch = () => {
    const inner = (raw = layer.push);
    layer.push = (...items) => {
      for (const item of items as Call[])
        ({}).toString.call(item) == "[object Arguments]" && !passed.has(item) ? gate(item) : inner.call(layer, item);
      return layer.length;
    };
  };

  const fetch = (path: string) => load("https://www.googletagmanager.com/" + path).then(watch);

  const start = (id: string) => {
    started = true;
    if (/^GTM/.test(id)) {
      raw.call(layer, { "gtm.start": Date.now(), event: "gtm.js" });
      return fetch("gtm.js?id=" + id);
    }
    if (!gtag) send("js", new Date());
    if (!held.some((call) => call[0] == "config" && call[1] == id)) {
      own.add(id);
      send("config", id);
    }
    // One script serves all ids.
    if (!gtag) fetch("gtag/js?id=" + id);
    gtag = true;
  };

  // A container that runs already has handled what is there: put in again, it would come twice.
  const early = page.google_tag_manager ? [] : layer.splice(0);
  send("consent", "default", { ...signals(notice, vendors, () => 0), ...(notice.advanced && { wait_for_update: 500 }) });
  if (notice.advanced) send("set", "ads_data_redaction", true);
  watch();
  layer.push(...early);
  page.gtag = function () {
    gate(arguments);
  };

  // Who leaves undecided has allowed nothing. Who comes back finds the page as it was: what was counted is marked.
  addEventListener("pagehide", () => held.forEach((call) => passed.has(call) || (passed.add(call) && sift(call, open))));

  return (now, allows, leaving) => {
    if (now) send("consent", "update", signals(notice, vendors, allows));
    else if (!notice.advanced) return;
    decided = true;
    for (const { key, id } of vendors.flatMap(({ key, ids }) => ids!.map((id) => ({ key, id })))) {
      const on = notice.advanced || allows(key);
      if (!on || ids[id] === false) page["ga-disable-" + id] = !on;
      if (on && !ids[id] && !leaving) start(id);
      ids[id] = !!on;
    }
    held.splice(0).forEach(gate);
  };
};

export default google;
