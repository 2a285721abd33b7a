import type { Kit } from "../layers/later";
import { startTag } from "../page/element";

/** A vendor, and parts of addresses that its tags come from. */
export interface Source {
  key: string;
  sources?: string[];
}

/** When a script was asked for. */
const asked = ({ src }: HTMLScriptElement): number => performance.getEntriesByName(src)[0]?.startTime;

/** Warn of what asks a denied vendor by itself: a snippet that was left in the page, a frame with an address. */
export function warnOfLeaks({ allowed, base, config, warn }: Kit, vendors: Source[]): void {
  const tag = [...document.scripts].find(({ src }) => src.startsWith(`${base}/widget/${config.site}.js`));
  const gated = vendors.filter(({ sources }) => sources?.[0])
    .map((source) => ({ ...source, ...config.vendors.find(({ key }) => key == source.key) }));
  const say = (key: string, by: string, mend = "take it out, the widget loads it after a grant") =>
    warn(`${key} is asked without a grant by ${by}: ${mend}`);
  const google = gated.filter(({ adapter }) => adapter == "google");
  let late: Element | undefined, running = (window as any).google_tag_manager && !google.some(({ key }) => allowed(key));
  for (const element of document.querySelectorAll<HTMLScriptElement>("[src]:not([data-consent],[data-consent-done])")) {
    const address = element.getAttribute("src")!;
    const isScript = element.localName == "script";
    const asking = gated.filter(({ sources }) => sources!.some((part) => address.includes(part)));
    // One script may serve several vendors: it is of the one whose id it names.
    const vendor = asking.find(({ ids }) => ids?.some((id) => address.includes(id))) || asking[0];
    if (!vendor || allowed(vendor.key)) continue;
    if (google.includes(vendor)) running = 0;
    say(vendor.key, startTag(element), vendor.adapter
      ? undefined
      : `gate it with data-consent="${vendor.key}"${isScript ? ' and type="text/plain"' : ""}, and write data-src for src`);
    // Its place says nothing of a tag that another script put in, and the time nothing of two in one piece of markup.
    if (isScript && tag && (tag.compareDocumentPosition(element) & 2 || asked(element) < asked(tag))) late ||= element;
  }
  if (late) warn("put the tag first in <head>, what ran before it was not held: " + startTag(late));
  // From an address of the site's own, or by a script that has taken its element out.
  if (running && google[0]) say(google[0].key, "google_tag_manager");
}
