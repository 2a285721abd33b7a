import { clear } from "../page/clear";
import { owe, purge } from "../page/deletion";
import css from "./details.css";
import { facts, type VendorDetail } from "./facts";
import type { Kit, Works } from "./later";
import { mine } from "./mine";
import { cover } from "./placeholder";

interface Detail {
  /** Purposes and vendors as people know them. */
  names: Record<string, string>;
  vendors: VendorDetail[];
  texts: Record<string, string>;
}

let styled: unknown;

/** All that the vendors of one side store on the site's own host. */
const stores = ({ vendors }: Detail, { allowed }: Kit, on: boolean) =>
  vendors.filter(({ key }) => !!allowed(key) == on).flatMap(({ cookies }) => cookies.filter(({ host }) => !host));

/** Fill in a place, if it is still to be filled: the dialog may be shut by now. */
function put({ paint, root }: Kit, place: Element, made: () => Element[]): void {
  if (!place.isConnected) return;
  styled ||= paint(root, css);
  place.replaceWith(...made());
}

type Widget = { _(given: null, works: Partial<Works>): void };

/** Hands what is looked at later, if at all, to the widget in the page. */
export default (detail: Detail): void =>
  (window as unknown as { consentWidget: Widget }).consentWidget._(null, {
    facts(kit, place, key) {
      const about = detail.vendors.find((vendor) => vendor.key == key);
      if (about) put(kit, place, () => facts(kit, about, detail.texts, detail.names[key]));
    },
    mine: (kit, place, slotted) => put(kit, place, () => [mine(kit, detail.texts, detail.names, slotted)]),
    cover: (kit, frame, key) => cover(kit, detail.texts, detail.names[key], frame, key),
    clear: ({ host }, focused) => clear(host, focused),
    purge(kit) {
      let left = true;
      const work = () => purge(stores(detail, kit, false), stores(detail, kit, true));
      work().then(() => (left = false));
      addEventListener("pagehide", () => {
        // A tag that runs may write its cookies once more as the page goes. Its listener came first, this one comes last.
        work();
        // A database that this page has open lasts as long as the page.
        if (left) owe();
      });
    },
  });
