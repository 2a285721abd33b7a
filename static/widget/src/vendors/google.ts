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

const isCall = (item: unknown): item is Call => ({}).toString.call(item) == "[object Arguments]";

// Google reads only an Arguments object; arrays and rest parameters are ignored without a word.
const args = function () {
  return arguments;
} as (...call: unknown[]) => IArguments;

const isManager = (id: string) => id.startsWith("GTM-");

const google: Adapter = (notice, vendors, load, count, warn, guardProperty) => {
  const page = window as any;
  const { signals: speaks = true, layer = "dataLayer", calls = [] } = notice.google || {};
  /** The vendor of each destination that the site file names, and whether it is open. */
  const keys: Record<string, string> = Object.fromEntries(vendors.flatMap(({ key, ids = [] }) => ids.map((id) => [id, key])));
  const managers = Object.keys(keys).filter(isManager);
  const ids: Record<string, boolean> = {};
  /** What waits for a decision, in the order in which it was said. */
  const held: any[] = [];
  /** The address from which the widget itself sent the page view of a destination. */
  const own: Record<string, string> = {};
  /** What is the widget's own, went through the gate, or was counted. */
  const passed = new WeakSet();
  /** What Google reads, and page code too. */
  const items: any[] = Array.isArray(page[layer]) ? page[layer] : [];
  // A container that runs already has handled what is there: put in again, it would come twice.
  const running = page.google_tag_manager;
  const early = running ? [] : items.splice(0);
  let push: (item: unknown) => unknown;
  let decided: boolean, gtag: boolean, started: boolean, told: boolean, state: object;

  /** Whether a destination is open. That it was asked for a conversion is counted. */
  const open = (id: string, event: string) => {
    if (event == "conversion" && keys[id]) count("conversions", { [ids[id] ? "sent" : "blocked"]: { [keys[id]]: 1 } });
    return ids[id];
  };

  const declared = (id: string) => keys[id] || warn(`add ${id} to the site file: its calls are dropped`);

  /** Past the gate. */
  const emit = (item: any) => {
    passed.add(item);
    push(item);
  };

  const say = (...call: unknown[]) => emit(args(...call));

  /** Answer who waits for a call that Google does not get, or not yet: many a link leads on only then. */
  const answer = (item: any) => {
    if (isCall(item) && item[2]?.event_callback) item[2] = { ...item[2] };
    const [asked, name] = !isCall(item) ? [item, "eventCallback"] : item[0] == "get" ? [item, 3] : [item[2] || {}, "event_callback"];
    if (typeof asked[name] != "function") return;
    setTimeout(asked[name]);
    asked[name] = undefined;
  };

  /** What of an item may pass. */
  const pass = (item: any) => {
    // Tag Manager alone reads these, and what it has not read it reads when it starts.
    if (!isCall(item)) return !managers[0] || managers.some((id) => ids[id]) ? item : 0;
    const passing = sift(item, passed.has(item) ? (id) => ids[id] : open);
    if (!started || !passing || item[0] == "get" && !item[3]) return;
    const [command, id, params] = passing;
    // The page view of the widget's own `config` must not be sent again by the site's snippet.
    const isDouble = command == "config" && own[id] == location.href && delete own[id];
    return args(...isDouble ? [command, id, { ...params, send_page_view: false }] : passing);
  };

  const gate = (item: any) => {
    const call = isCall(item);
    if (running && !call) return emit(item);
    if (call && item[0] == "consent") return speaks || emit(item);
    if (call) sift(item, declared);
    const passing = decided && pass(item);
    if (passing) return emit(passing);
    answer(item);
    if (decided) return;
    held.push(item);
    // The page reads what it put there; nobody else does yet.
    if (!call) emit(item);
  };

  // Page code puts another push in place, and Google's script wraps it: stay outermost.
  guardProperty(items, "push", (inner) => {
    const own = (push = (item) => inner.call(items, item));
    return (...more: any[]) => {
      for (const item of more) Object(item) !== item || passed.has(item) ? own(item) : gate(item);
      return items.length;
    };
  });
  // What page code puts in the layer's place tells it all, and the layer stays: the consent state is in it.
  guardProperty(page, layer, (given) => {
    if (Array.isArray(given) && given != items) {
      items.push(...given.splice(0).filter((item) => !items.includes(item)));
      given.push = items.push;
    }
    return items;
  });

  const fetch = (path: string) => {
    started = true;
    load(`https://www.googletagmanager.com/${path}${layer == "dataLayer" ? "" : "&l=" + layer}`);
  };

  const start = (id: string) => {
    if (isManager(id)) {
      emit({ "gtm.start": Date.now(), event: "gtm.js" });
      return fetch("gtm.js?id=" + id);
    }
    if (gtag) return;
    gtag = true;
    say("js", new Date());
    // One script serves all ids.
    fetch("gtag/js?id=" + id);
  };

  const forget = (gone: unknown[]) => {
    for (const item of gone) items.includes(item) && items.splice(items.indexOf(item), 1);
  };

  const denied = { ...signals(notice, vendors, () => 0), ...(notice.advanced && { wait_for_update: 500 }) };
  if (speaks) say("consent", "default", denied);
  // Where a region needs no consent, the signal still says no.
  for (const call of calls) page.navigator?.globalPrivacyControl && call[1] == "default" || say(...call);
  items.push(...early);
  page.gtag = function () {
    gate(arguments);
  };

  // Who leaves undecided has allowed nothing. Who comes back finds the page as it was: what was counted is marked.
  addEventListener("pagehide", () => held.forEach((item) => isCall(item) && !passed.has(item) && passed.add(item) && sift(item, open)));

  return (now, allows, leaving, action) => {
    const states = (entries: { key: string }[] = []) => Object.fromEntries(entries.map(({ key }) => [key, !!allows(key)]));
    if (now) {
      if (speaks) say("consent", "update", signals(notice, vendors, allows));
      // In the place of what Tag Manager has not read.
      if (!started) forget([state]);
      emit((state = {
        event: told ? "consent_change" : "consent_ready",
        consent: { purposes: states(notice.purposes), vendors: states(notice.vendors), action },
      }));
    }
    told = true;
    if (!now && !notice.advanced) return;
    decided = true;
    const waiting = held.splice(0);
    forget(waiting);
    const opening = Object.keys(keys).filter((id) => {
      const on = !!(notice.advanced || allows(keys[id]));
      const opens = on && !ids[id] && !leaving;
      if (!on || ids[id] === false) page["ga-disable-" + id] = !on;
      ids[id] = on;
      return opens;
    });
    const settings = (call: RegExp) => {
      for (let item; (item = waiting[0]) && (isCall(item) ? call.test(item[0]) : !item.event); ) gate(waiting.shift());
    };
    // What the page is about is known when Tag Manager starts; and the site's settings hold for the page view.
    settings(/^$/);
    opening.forEach(start);
    settings(/^(js|set)$/);
    for (const id of opening)
      if (!isManager(id) && !waiting.some((call) => call[0] == "config" && call[1] == id)) {
        own[id] = location.href;
        say("config", id);
      }
    waiting.forEach(gate);
  };
};

export default google;
