import { button, element } from "../page/element";
import type { Purpose } from "../state/config";
import { except } from "./except";
import type { Kit, Slotted } from "./later";

type Texts = Record<string, string>;

/** How the server writes dates (Wording.dates): year {0}, month {1}, day {2}, hour {3}, minute {4}. */
export interface Dates {
  day: string;
  moment: string;
  months: (string | number)[];
  /** The first of a month, where it is written otherwise. */
  first?: string;
}

/** What the visitor chose and when, the receipt in its forms, and what the receipt's link is enough for. */
export function mine(kit: Kit, texts: Texts, names: Texts, dates: Dates, slotted: Slotted): HTMLElement {
  const { config, choice, allowed } = kit;
  const { receiptUrl } = (window as unknown as { consentWidget: { receiptUrl: string | null } }).consentWidget;
  const action = (name: string, text: string) => slotted(button(name, text, { class: "q" }), "b-" + name);

  const dated = (when: number | string, form: "day" | "moment", zone = {}) => {
    // Swedes write the parts in the order of ISO 8601.
    const [year, month, day, ...time] = new Date(when).toLocaleString("sv", zone).split(/\D/);
    const parts = [year, dates.months[+month - 1], +day == 1 && dates.first || +day, ...time];
    return dates[form].replace(/{(.)}/g, (_, at) => "" + parts[at]);
  };

  const say = (text: string, at: number | string, by: number | string = 0) =>
    texts[text]
      // Of a refusal only the day is kept, as its first second in UTC: an hour would be made up, and elsewhere the day wrong.
      .replace("{at}", +at % 864e5 == 0 ? dated(at, "day", { timeZone: "UTC" }) : dated(at, "moment"))
      .replace("{by}", dated(by, "day"));

  const unasked = (key: string) =>
    [key, ...config.vendors.filter((vendor) => vendor.key == key).flatMap(({ purposes }) => purposes)]
      .some((purpose) => config.purposes.some(({ key, on }) => key == purpose && on != null));

  const word = (key: string) =>
    texts[RULES && unasked(key) ? allowed(key) ? "not_objected" : "objected" : allowed(key) ? "granted" : "denied"];

  /** What was answered of a purpose, and of which vendors that is not so; nothing where neither was asked yet. */
  const state = ({ key }: Purpose) => {
    const apart = config.vendors.filter((vendor) =>
      vendor.purposes.includes(key) && !!allowed(vendor.key) != vendor.purposes.some(allowed)).map((vendor) => names[vendor.key]);
    if (choice!.grants[key] == null && !apart[0]) return [];
    const told = apart[0] ? except(texts, word(key), apart, config.language) : word(key);
    return [element("li", {}, names[key] + " · ", element("b", {}, told))];
  };

  // What is sent to be saved leaves the page where it is; the receipt's page gets a tab of its own.
  const form = (text: string, query: string, tab = {}) =>
    element("li", {}, element("a", { href: receiptUrl + query, ...tab }, texts[text]));

  // A live region is read out only when it stood there before its text.
  const answer = element("p", { role: "status", tabindex: "-1" });
  const asking = element("details", {},
    element("summary", {}, texts.erase), element("p", {}, texts.erase_text), element("p", {}, action("erase", texts.erase_send)));

  asking.addEventListener("click", async ({ target }) => {
    if ((target as HTMLElement).dataset.action != "erase") return;
    let said = texts.erase_failed;
    try {
      const reply = await fetch(receiptUrl + "/erasure", { method: "POST" });
      if (reply.status == 410) said = texts.erase_done;
      if (reply.ok) {
        const { asked_at, answer_by } = await reply.json();
        said = say("erase_asked", asked_at, answer_by);
      }
      if (said != texts.erase_failed) asking.hidden = true;
    } catch {
      // No connection: it can be sent again.
    }
    answer.textContent = said;
    answer.focus();
  });

  return element("section", {},
    element("h3", {}, texts.mine),
    element("p", {}, say("mine_at", choice!.at * 1000)),
    element("ul", {}, ...config.purposes.flatMap(state)),
    ...([...config.purposes, ...config.vendors].some(({ key }) => allowed(key))
      ? [element("p", {}, action("withdraw", texts.withdraw))] : []),
    ...(receiptUrl
      ? [element("ul", {}, form("receipt", "", { target: "_blank", rel: "noopener" }), form("receipt_jws", "?format=jws"), form("receipt_json", "?format=json")), asking]
      : [element("p", {}, texts.no_receipt)]),
    answer);
}
