import { openOverlay, type Row } from "./debug-view";
import type { Kit, Works } from "./layers/later";
import type { ConsentWidget, Problem } from "./public";
import type { Vendor } from "./state/config";

interface Detail {
  /** Purposes and vendors as people know them. */
  names: Record<string, string>;
  /** Where the requests of the catalogue's vendors go. */
  hosts: Record<string, string[]>;
}

type Widget = ConsentWidget & { _(given: null, works: Partial<Works>): void };

/** A request of the page. */
type Asked = Pick<PerformanceResourceTiming, "name" | "initiatorType"> & { responseStatus?: number };

const EVERY = 500;
const MOST = 12;
const DEEP = 4;

const widget = () => (window as unknown as { consentWidget: Widget }).consentWidget;

const short = (text: string) => (text.length > 80 ? text.slice(0, 79) + "…" : text);

/** An address without what may tell of the visitor. */
function place(address: string): string {
  const { host, pathname } = new URL(address, document.baseURI);
  return short(host + pathname);
}

/** Gated markup that stands in the page, or in an open shadow root of it. */
function gated(root: ParentNode): HTMLElement[] {
  const inner = [...root.querySelectorAll("*")].flatMap(({ shadowRoot }) => (shadowRoot ? gated(shadowRoot) : []));
  return [...root.querySelectorAll<HTMLElement>("[data-consent]"), ...inner];
}

/** A value as its author would write it. */
function written(value: unknown, depth = 0): string {
  if (typeof value == "function") return "ƒ";
  if (value instanceof Node) return `<${value.nodeName.toLowerCase()}>`;
  if (value instanceof Date) return value.toISOString();
  if (!value || typeof value != "object") return JSON.stringify(value) ?? "undefined";
  if (depth == DEEP) return "…";
  const parts = Object.entries(value).map(([key, inner]) => (Array.isArray(value) ? "" : key + ": ") + written(inner, depth + 1));
  return Array.isArray(value) ? `[${parts.join(", ")}]` : `{${parts.join(", ")}}`;
}

function call(entry: unknown): Row {
  const made = Object.prototype.toString.call(entry) == "[object Arguments]";
  return { text: made ? `gtag(${[...(entry as IArguments)].map((value) => written(value)).join(", ")})` : written(entry) };
}

/** What is asked of the visitor, and how each purpose and vendor stands. */
function asked({ config, allowed }: Kit, { names }: Detail): Row[] {
  const { decision, receiptUrl } = widget();
  const state = (key: string): Row =>
    !decision ? { text: "", word: "held" } : allowed(key) ? { text: "", word: "granted", tone: "good" } : { text: "", word: "denied" };
  const apart = (key: string) => (decision && key in decision.vendors ? ", apart from its purposes" : "");
  return [
    decision
      ? { text: decision.action, more: `${decision.at}, edition ${decision.revision}${decision.gpc ? ", under Global Privacy Control" : ""}` }
      : { text: "Nothing is chosen yet: every tag is held." },
    ...(receiptUrl ? [{ text: "The receipt", href: receiptUrl }] : []),
    ...config.purposes.map(({ key }) => ({ ...state(key), text: names[key] || key, more: "purpose " + key })),
    ...config.vendors.map(({ key, purposes }) =>
      ({ ...state(key), text: names[key] || key, more: `vendor ${key}: ${purposes.join(", ")}${apart(key)}` })),
  ];
}

function held({ allowed }: Kit): Row[] {
  return gated(document).filter(({ dataset }) => !allowed(dataset.consent!)).map((element) => {
    const { tagName, id, dataset } = element;
    const key = dataset.consent!;
    const source = dataset.src || dataset.consentSrc || element.getAttribute("src");
    const known = allowed(key) != null;
    return {
      text: `${tagName.toLowerCase()}${id && "#" + id}[data-consent="${key}"]`,
      more: source ? place(source) : short((element.textContent || "").trim()),
      word: known ? "held" : "unknown key",
      tone: known ? "" : "bad",
    };
  });
}

/** Requests to others than the page and the consent server, by vendor. */
function loaded({ base, config, allowed }: Kit, { names, hosts }: Detail, all: Asked[], blocked: Set<string>): Row[] {
  // Those of a site's own vendor stand in its configuration.
  const known = (config.vendors as (Vendor & { hosts?: string[] })[]).map((vendor) => [vendor.key, vendor.hosts || hosts[vendor.key]] as const);
  const fits = (host: string, pattern: string) => (pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host == pattern);
  const own = [location.origin, new URL(base!).origin];
  // Some browsers tell of a request that a policy forbids, some do not.
  const unseen = [...blocked].filter((name) => !all.some((request) => request.name == name));
  return [...all, ...unseen.map((name) => ({ name, initiatorType: "policy" }))].flatMap(({ name, initiatorType }): Row[] => {
    const url = new URL(name, document.baseURI);
    if (!/^http/.test(url.protocol) || own.includes(url.origin)) return [];
    const keys = known.filter(([, patterns]) => patterns.some((pattern) => fits(url.host, pattern))).map(([key]) => key);
    const row = { text: place(name), more: `${initiatorType}: ${keys.map((key) => names[key] || key).join(" or ") || "no vendor of the notice"}` };
    if (blocked.has(name)) return [{ ...row, word: "blocked by policy", tone: "bad" }];
    if (!keys[0]) return [{ ...row, word: "undeclared", tone: "warn" }];
    return [keys.some(allowed) ? { ...row, word: "loaded", tone: "good" } : { ...row, word: "not granted", tone: "bad" }];
  });
}

/** What went to the consent server, what it refused, and what waits to be sent again. */
function sent({ base, config }: Kit, all: Asked[], problems: Problem[]): Row[] {
  const start = `${base}/v1/sites/${config.site}/`;
  const posts = all.filter(({ name }) => name.startsWith(start)).map(({ name, responseStatus: status }): Row => {
    const text = name.slice(start.length);
    // Not every browser tells.
    if (status == null) return { text, word: "sent" };
    return { text, word: status ? "" + status : "no answer", tone: status >= 200 && status < 300 ? "good" : "bad" };
  });
  return [...posts, ...problems.map(({ title, detail, status }): Row => ({ text: title, more: detail, word: "" + status, tone: "bad" }))];
}

function begin(kit: Kit, detail: Detail): void {
  const overlay = openOverlay(kit);
  const requests: Asked[] = [];
  const problems: Problem[] = [];
  const blocked = new Set<string>();
  const layer = (kit.config as { google?: { layer?: string } }).google?.layer || "dataLayer";

  function look(): void {
    const { decision } = widget();
    const warnings = [...kit.warnings];
    const posts = sent(kit, requests, problems);
    const faults = warnings.length + posts.filter(({ tone }) => tone == "bad").length;
    overlay.say(faults ? `${faults} to mend` : decision ? decision.action : "not chosen", faults ? "bad" : "");
    overlay.show("Warnings", warnings.map((text) => ({ text, word: "mend", tone: "bad" })), "None.");
    overlay.show("Asked", asked(kit, detail), "");
    overlay.show("Held", held(kit), "No gated markup waits in this page.");
    overlay.show("Loaded", loaded(kit, detail, requests, blocked), "Nothing was asked of third parties.");
    overlay.show("Sent", posts, "Nothing went to the consent server.");
    const calls: unknown[] = [...((window as any)[layer] || [])];
    overlay.show(layer, calls.slice(-MOST).map(call), "Not there.");
  }

  new PerformanceObserver((list) => requests.push(...(list.getEntries() as PerformanceResourceTiming[])))
    .observe({ type: "resource", buffered: true });
  document.addEventListener("securitypolicyviolation", ({ blockedURI }) => blocked.add(blockedURI));
  document.addEventListener("consent:error", ({ detail }) => problems.push(detail));
  for (const name of ["consent:shown", "consent:change"]) document.addEventListener(name, look);
  look();
  // Queues and sets give no sign when they grow.
  setInterval(look, EVERY);
}

/** Shows a page's developers what the widget asks, holds, loads and sends there, and every warning. */
/** By the tag, or on a developer's own machine: a link that somebody gives a visitor shows nothing. */
const isAskedFor = (): boolean =>
  !!document.querySelector("script[data-consent-debug]") || /^(localhost|127\.[\d.]+|\[::1])$/.test(location.hostname);

export default (detail: Detail): void => widget()._(null, { debug: (kit) => void (isAskedFor() && begin(kit, detail)) });
