import { guard, warn } from "./page/guard";
import { listen } from "./listen";
import { catchUp, decide, decideAll, read, resume } from "./decide";
import { answered, useConfig, useSheet } from "./state/current";
import { tell } from "./page/events";
import { useActs } from "./layers/acts";
import { load, locate, tag } from "./page/script";
import type { Adapter, Apply } from "./vendors/adapter";
import { count, send } from "./client";
import { guardProperty } from "./vendors/replaced";
import { later } from "./layers/later";
import { parsed, show, showPreferences } from "./layers/layers";
import { EMPTY, readConfig } from "./state/config";
import { needsGrant } from "./state/rule";
import { attach, host, WAY_BACK } from "./layers/banner";
import { api, conversion } from "./api";

/** Once the page is really looked at: a prerendered one shows nothing, counts nothing and loads no tag. */
const seen = (work: () => void) =>
  (document as { prerendering?: boolean }).prerendering
    ? document.addEventListener("prerenderingchange", work, { once: true })
    : work();

function begin(tags: (Apply | undefined)[]): void {
  resume(tags);
  show();
  parsed.then(guard(() => {
    const { attachShadow } = Element.prototype;
    // What stands in an open shadow root is found by nothing that looks from here.
    Element.prototype.attachShadow = function (options) {
      if (this != host) later("markup");
      return attachShadow.call(this, options);
    };
    if ([...document.querySelectorAll("*")].some((element) => element != host && element.shadowRoot)) later("markup");
    const changed = guard(() => {
      attach();
      if (document.querySelector("[data-consent],[inert],dialog[open],[data-conversion]" + (answered() ? "," + WAY_BACK : ""))) later("markup");
    });
    new MutationObserver(changed)
      .observe(document, { childList: true, subtree: true, attributeFilter: ["open", "inert"] });
    changed();
    // Where a receipt leads who wants to withdraw.
    if (location.hash == "#consent") showPreferences();
  }));
  // After the page's own work: a late script that hangs would hold up its load event.
  document.readyState == "complete" ? guard(catchUp)() : addEventListener("load", guard(catchUp));
  tell("ready");
}

/** What runs before a choice starts at once, whatever else is still asked: an adapter of such vendors waits for nothing. */
const unasked = (adapter: Adapter): Adapter => (notice, vendors, ...more) => {
  const apply = adapter(notice, vendors, ...more);
  return (now, ...rest) => apply(now || !vendors.some(({ key }) => needsGrant(key)), ...rest);
};

const start = guard((adapters: Record<string, Adapter>, sheet: string, given: unknown) => {
  // A second copy of the tag hands its notice to the first and does nothing itself. Markup can give an element that name.
  const first = Object.getOwnPropertyDescriptor(window, "consentWidget")?.value;
  if (first) return first._(given);
  const config = readConfig(given);
  if (RULES) for (const name of Object.keys(adapters)) adapters[name] = unasked(adapters[name]);
  const notice = config || EMPTY;
  locate(notice.server);
  // Before all else, so that site code finds gtag and fbq even under a notice that cannot be used.
  const tags = Object.keys(adapters).map((name) =>
    guard(adapters[name])(notice, notice.vendors.filter(({ adapter }) => adapter == name), load, count, warn, guardProperty));
  if (!config) return warn("damaged notice, all tags stay shut");
  useConfig(config);
  useSheet(sheet);
  useActs({ decide, decideAll, conversion, count, listen, send, ...(RULES && { read }) });
  read();
  (window as any).consentWidget = api;
  listen();
  seen(guard(() => begin(tags)));
  // For the page's developers: by an attribute of the tag, or in the query.
  if (/consent-debug/.test(tag?.outerHTML + location.search)) later("debug");
});

export default (adapters: Record<string, Adapter>, sheet: string) => (given: unknown) => void start(adapters, sheet, given);
