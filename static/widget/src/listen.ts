import { convert } from "./api";
import { decideAll } from "./decide";
import { isOpen } from "./layers/banner";
import { later } from "./layers/later";
import { showPreferences } from "./layers/layers";
import { guard } from "./page/guard";

/** Answer what a visitor does in the page outside the layers. */
export function listen(): void {
  document.addEventListener("click", guard((event) => {
    const inside = (selector: string) => (event.target as Element).closest<HTMLElement>(selector);
    if (inside("[data-consent-open]")) {
      // A link there leads to a page that works without script.
      event.preventDefault();
      showPreferences();
    }
    convert(inside("[data-conversion]"));
    // First of all listeners, since the page's own may send the visitor away.
  }), true);
  document.addEventListener("keydown", guard(({ key, target }) => {
    if (key == "Escape" && isOpen() && (target as Element).matches("body,consent-widget *"))
      decideAll("refuse_all", "banner");
  }));
  document.addEventListener("keyup", guard(({ key, target }) => {
    if (key == "Tab") later("clear", target as Element);
  }));
}
