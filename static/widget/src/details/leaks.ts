import type { Kit } from "../layers/later";
import { startTag } from "../page/element";

/** A vendor, and parts of addresses that its tags come from. */
export interface Source {
  key: string;
  sources?: string[];
}

/** Warn of what asks a denied vendor by itself: a snippet that was left in the page, a frame with an address. */
export function warnOfLeaks(kit: Kit, vendors: Source[]): void {
  for (const { key, sources = [] } of vendors) {
    if (!sources[0] || kit.allowed(key)) continue;
    const selector = sources.map((part) => `[src*="${part}"]:not([data-consent],[data-consent-done])`).join();
    for (const element of document.querySelectorAll(selector)) {
      const mend = kit.config.vendors.find((vendor) => vendor.key == key)!.adapter
        ? "take it out, the widget loads it after a grant"
        : `gate it with data-consent="${key}"${element.localName == "script" ? ' and type="text/plain"' : ""}, and write data-src for src`;
      kit.warn(`${key} is asked without a grant by ${startTag(element)}: ${mend}`);
    }
  }
}
