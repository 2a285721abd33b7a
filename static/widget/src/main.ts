import { api } from "./api";
import { count } from "./client";
import { always, catchUp, cover, decide, decideAll, refresh, restore, resume } from "./decide";
import { useActs } from "./layers/acts";
import { closeBanner, openBanner, showPreferences } from "./layers/layers";
import { listen } from "./listen";
import { tell } from "./page/events";
import { watch } from "./page/gate";
import { guard, warn } from "./page/guard";
import { base, load, tag } from "./page/script";
import { EMPTY, readConfig } from "./state/config";
import { choice, useConfig, useSheet } from "./state/current";
import type { Adapter, Apply } from "./vendors/adapter";

const page = window as unknown as { consentWidget?: { _?(given: unknown): void } };

/** Once the page is parsed: before that an element can stand there without its text. */
const parsed = (work: () => void) =>
  document.readyState == "loading" ? document.addEventListener("DOMContentLoaded", work) : work();

/** Once the page is really looked at: a prerendered one shows nothing, counts nothing and loads no tag. */
const seen = (work: () => void) =>
  (document as { prerendering?: boolean }).prerendering
    ? document.addEventListener("prerenderingchange", work, { once: true })
    : work();

function begin(tags: (Apply | undefined)[]): void {
  resume(tags, () => {
    closeBanner(true);
    tell("change");
  });
  if (!choice) openBanner(true);
  parsed(() => {
    watch(cover);
    if (choice) closeBanner();
    // Where a receipt leads who wants to withdraw.
    if (location.hash == "#consent") showPreferences();
  });
  // After the page's own work: a late script that hangs would hold up its load event.
  document.readyState == "complete" ? catchUp() : addEventListener("load", guard(catchUp));
  addEventListener("pageshow", guard(({ persisted }: PageTransitionEvent) => persisted && refresh()));
  tell("ready");
}

const start = guard((adapters: Record<string, Adapter>, sheet: string, given: unknown) => {
  // A second copy of the tag hands its notice to the first and does nothing itself.
  if (page.consentWidget?._) return page.consentWidget._(given);
  const config = readConfig(given);
  const notice = config || EMPTY;
  // Before all else, so that site code finds gtag and fbq even under a notice that cannot be used.
  const tags = Object.keys(adapters).map((name) =>
    guard(adapters[name])(notice, notice.vendors.filter(({ adapter }) => adapter == name), load, count));
  if (!config) return warn("damaged notice, all tags stay shut");
  useConfig(config);
  useSheet(sheet);
  useActs({ decide, decideAll, always, count });
  restore();
  (window as any).consentWidget = api;
  listen();
  seen(guard(() => begin(tags)));
  // For the page's developers alone; nobody else pays for it.
  if (tag?.matches("[data-consent-debug]") || /^\w+:..(localhost|127[\d.]+|\[::1])(:\d+)?\/[^#]*[?&]consent-debug/.test(location.href))
    load(`${base}/widget/${config.site}/debug.js`);
});

export default (adapters: Record<string, Adapter>, sheet: string) => (given: unknown) => void start(adapters, sheet, given);
