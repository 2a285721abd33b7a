import type { Vendor } from "../config";
import type { Answer } from "../state";
import type { Adapter, Call, Notice } from "./adapter";

const HOST = "https://www.googletagmanager.com/gt";
const TYPES = "ad_storage,ad_user_data,ad_personalization,analytics_storage,functionality_storage,personalization_storage";

/**
 * The seven Consent Mode types. Where Google vendors serve a purpose, one of them has to be granted:
 * a linked Analytics property collects for Ads on `ad_storage` alone.
 */
export function signals(notice: Notice, vendors: Vendor[], answer: Answer | null, allows: (key: string) => unknown): Record<string, string | number> {
  const types: Record<string, string> = {};
  for (const type of TYPES.split(",")) types[type] = "denied";
  for (const { key, signals: its = [] } of answer ? notice.purposes : []) {
    const grants = answer!.grants;
    const serving = vendors.filter(({ purposes }) => purposes.includes(key));
    const on = serving[0]
      ? serving.some((one) => allows(one.key) && (grants[key] || !one.purposes.some((other) => grants[other])))
      : grants[key];
    if (on) for (const type of its) types[type] = "granted";
  }
  return { ...types, security_storage: "granted" };
}

/** What may pass of one gtag() call: all of it, a copy narrowed to open destinations, or nothing. */
export function sift(call: Call, open: (id: string) => unknown): Call | null {
  const [command, target, params] = Array.from(call);
  const passes = (id: unknown) => {
    const destination = /^(G|AW|GT|GTM|DC)-[^/]*/.exec(id as string);
    return !destination || open(destination[0]);
  };
  if (/^(consent|js)$/.test(command) || (/^(config|get)$/.test(command) && !passes(target))) return null;
  const to = params && params.send_to;
  if (!to) return call;
  const left = [].concat(to).filter(passes);
  return left[0] ? [command, target, { ...params, send_to: left[1] ? left : left[0] }] : null;
}

const isCall = (item: unknown): item is IArguments => ({}).toString.call(item) == "[object Arguments]";

const google: Adapter = (notice, vendors, load) => {
  const page = window as any;
  const layer: unknown[] = (page.dataLayer = page.dataLayer || []);
  const held: Call[] = [];
  const ids: Record<string, boolean | undefined> = {};
  const configured: Record<string, boolean> = {};
  const passed = new WeakSet();
  let raw = layer.push;
  let started: boolean, gtag: boolean, decided: boolean;

  // Google reads only an Arguments object; arrays and rest parameters are ignored without a word.
  const send = function () {
    passed.add(arguments);
    raw.call(layer, arguments);
  } as (...call: unknown[]) => void;

  const gate = (call: Call) => {
    if (!decided) return held.push(call);
    const rest = started && sift(call, (id) => ids[id]);
    if (rest) send(...Array.from(once(rest)));
    return 0;
  };

  // The page view of the widget's own `config` must not be sent a second time by the site's snippet.
  const once = (call: Call): Call => {
    const [command, id, params] = Array.from(call);
    if (command != "config" || !configured[id] || document.readyState == "complete") return call;
    configured[id] = false;
    return [command, id, { ...params, send_page_view: false }];
  };

  // Page code may define gtag anew as the usual stub, and Google's script wraps push: stay outermost.
  const watch = () => {
    const inner = (raw = layer.push);
    layer.push = (...items) => {
      for (const item of items) isCall(item) && !passed.has(item) ? gate(item) : inner.call(layer, item);
      return layer.length;
    };
  };

  const start = (vendor: Vendor) => {
    const id = vendor.id!;
    const manager = /^GTM-/.test(id);
    if (!manager) {
      if (!gtag) send("js", new Date());
      if (!held.some((call) => call[0] == "config" && call[1] == id)) {
        send("config", id);
        configured[id] = true;
      }
      if (gtag) return;
      gtag = true;
    } else raw.call(layer, { "gtm.start": Date.now(), event: "gtm.js" });
    load(HOST + (manager ? "m.js?id=" : "ag/js?id=") + id).then(watch);
  };

  const early = layer.splice(0);
  send("consent", "default", { ...signals(notice, vendors, null, Boolean), ...(notice.advanced && { wait_for_update: 500 }) });
  if (notice.advanced) send("set", "ads_data_redaction", true);
  for (const item of early) isCall(item) ? held.push(item) : raw.call(layer, item);
  watch();
  page.gtag = function () {
    gate(arguments);
  };

  return (answer, allows, leaving) => {
    if (answer) send("consent", "update", signals(notice, vendors, answer, allows));
    else if (!notice.advanced) return;
    const fresh = vendors.filter(({ key, id }) => {
      const was = ids[id!];
      const on = (ids[id!] = notice.advanced || !!allows(key));
      if (!on || was === false) page["ga-disable-" + id] = !on;
      return on && !was && !leaving;
    });
    decided = true;
    for (const vendor of fresh) {
      start(vendor);
      started = true;
    }
    held.splice(0).forEach(gate);
  };
};

export default google;
