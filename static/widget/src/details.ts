import css from "./details.css";
import { facts, type VendorDetail } from "./layers/facts";
import type { Kit, Works } from "./layers/later";
import { mine, type Dates } from "./layers/mine";
import { resend, takeAnswer } from "./details/answer";
import { confirm } from "./details/confirm";
import { grantOne } from "./details/grant";
import { warnOfLeaks } from "./details/leaks";
import { seeToMarkup } from "./details/markup";
import { sample } from "./details/sample";
import { cover } from "./details/placeholder";
import { clear } from "./page/clear";
import { purge } from "./page/deletion";
import { element, paint } from "./page/element";
import { leave } from "./page/leave";
import { lifeOf } from "./state/cookie";
import { OUTBOX, OWED, stored } from "./state/outbox";
import { complete, grantsAny, takes, underSignal } from "./state/state";

interface Detail {
  /** Purposes and vendors as people know them. */
  names: Record<string, string>;
  vendors: VendorDetail[];
  dates: Dates;
  texts: Record<string, string>;
}

/** How long a page that is to go waits for what is deleted, in milliseconds. */
const PATIENCE = 300;

let styled: unknown;

/** All that the vendors of one side store on the site's own host. */
const stores = ({ vendors }: Detail, { allowed }: Kit, on: boolean) =>
  vendors.filter(({ key }) => !!allowed(key) == on).flatMap(({ cookies }) => cookies.filter(({ host }) => !host));

/** Style what the first script leaves to this one. */
const style = ({ host }: Kit): unknown => (styled ||= host && paint(host.shadowRoot!, css));

let looked: boolean;

/** Look for what the page does wrong, once: later what is denied may have been granted, and be here by right. */
function look(kit: Kit, detail: Detail): void {
  style(kit);
  if (!looked) kit.guard(warnOfLeaks)(kit, detail.vendors);
  looked = true;
}

/** Fill in a place, if it is still to be filled: the dialog may be shut by now. */
function put(kit: Kit, place: Element, made: () => Element[]): void {
  if (!place.isConnected) return;
  style(kit);
  place.replaceWith(...made());
}

type Widget = { _(given: null, works: Partial<Works>): void };

/** Hands what is looked at later, if at all, to the widget in the page. */
export default (detail: Detail): void => {
  const works: Partial<Works> = {
    facts(kit, place, key) {
      const about = detail.vendors.find((vendor) => vendor.key == key);
      if (about) put(kit, place, () => facts(about, detail.texts, detail.names[key]));
    },
    mine: (kit, place, slotted) => put(kit, place, () => [mine(kit, detail.texts, detail.names, detail.dates, slotted)]),
    markup(kit) {
      look(kit, detail);
      seeToMarkup(kit, (gated, key) => cover(kit, detail.texts, detail.names[key], gated, key));
    },
    always: grantOne,
    signal(kit, follow) {
      if (RULES && !kit.choice) {
        const { purposes } = kit.config;
        return purposes.some(({ gpc }) => gpc) ? kit.decide("gpc", "signal", complete(kit.config, kit.allowed)) : follow();
      }
      const remaining = underSignal(kit.config, kit.choice!);
      if (!takes(kit.config, kit.choice, remaining)) return follow();
      // A signal is no new choice, and lengthens none.
      kit.decide("gpc", "signal", remaining, lifeOf(kit.choice!, kit.config));
    },
    gpc: (_, place) => place.before(element("p", {}, detail.texts.gpc)),
    answer(kit, line, coming) {
      works.markup!(kit);
      // Of a signal that is an objection there is something better to say, and that stays.
      takeAnswer(kit, RULES && kit.config.asks && JSON.parse(line).action == "gpc" ? "" : detail.texts.saved, line, coming);
    },
    clear(kit, focused) {
      look(kit, detail);
      clear(kit.host, focused);
    },
    catchUp(kit) {
      const { saved, withdrawn } = detail.texts;
      const owed = stored(OWED);
      const text = owed && kit.choice && !grantsAny(kit.choice) ? withdrawn : saved;
      resend(kit, text);
      if (!owed) return;
      kit.later("purge", false);
      style(kit);
      // What was to be said on the page that went. Nothing is called saved before it is recorded.
      if (text == withdrawn || !stored(OUTBOX)) confirm(kit, text);
    },
    sample,
    purge(kit, leaving) {
      let left = true;
      const work = () => purge(stores(detail, kit, false), stores(detail, kit, true));
      stored(OWED, null);
      const done = work().then(() => (left = false));
      addEventListener("pagehide", () => {
        // A tag that runs may write its cookies once more as the page goes. Its listener came first, this one comes last.
        work();
        // A database that this page has open lasts as long as the page.
        // The next page says what was done, and does it once more.
        if (left || leaving) stored(OWED, "1");
      });
      let gone = !leaving;
      const go = () => gone || (gone = true, leave());
      done.then(go);
      setTimeout(go, PATIENCE);
    },
  };
  (window as unknown as { consentWidget: Widget }).consentWidget._(null, works);
};
