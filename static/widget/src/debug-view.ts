import css from "./debug.css";
import type { Kit } from "./layers/later";
import { element, paint } from "./page/element";

export type Tone = "good" | "warn" | "bad" | "";

/** A line: what it is about, more in small print, and how it stands in a word. */
export interface Row {
  text: string;
  more?: string;
  word?: string;
  tone?: Tone;
  href?: string;
}

export interface Overlay {
  /** Say in a word how things stand: also seen while it is folded. */
  say(word: string, tone: Tone): void;
  /** Show the lines of a section; `empty` where there are none. */
  show(title: string, rows: Row[], empty: string): void;
}

const CORNERS = 4;
const NARROW = 600;

/**
 * The overlay in the page: beside its body, so that no framework takes it for its own, and above all that stands there
 * but the top layer, so that it never hides the banner.
 */
export function openOverlay({ config }: Kit): Overlay {
  const host = element("consent-debug", { role: "region", "aria-label": "Consent debug", lang: "en", "data-corner": "0" });
  const root = host.attachShadow({ mode: "open" });
  const chip = element("span", { class: "chip" });
  const body = element("div", { class: "body" });
  const act = (text: string, work: (button: HTMLElement) => void, attributes = {}) => {
    const made = element("button", attributes, text);
    made.onclick = () => work(made);
    return made;
  };
  const fold = act("Fold", (button) => {
    const folded = host.toggleAttribute("data-folded");
    button.textContent = folded ? "Unfold" : "Fold";
    button.setAttribute("aria-expanded", "" + !folded);
  }, { "aria-expanded": "true" });
  const move = act("Move", () => (host.dataset.corner = "" + ((+host.dataset.corner! + 1) % CORNERS)));
  const drawn: Record<string, { text: string; place: HTMLElement; count: HTMLElement }> = {};

  function section(title: string) {
    const count = element("span", {});
    const place = element("div", {});
    body.append(element("details", { open: "" }, element("summary", {}, title + " ", count), place));
    return (drawn[title] = { text: "", place, count });
  }

  const line = ({ text, more, word, tone = "", href }: Row) =>
    element("li", {},
      element("span", {}, href ? element("a", { href, target: "_blank", rel: "noopener" }, text) : text, ...(more ? [element("small", {}, more)] : [])),
      ...(word ? [element("span", { class: "chip", "data-tone": tone }, word)] : []));

  paint(root, css);
  root.append(element("div", { class: "head" }, element("b", {}, "Consent: " + config.site), chip, fold, move), body);
  // On a phone it would be all that is seen.
  if (innerWidth < NARROW) fold.click();

  return {
    say(word, tone) {
      // Some pages put another document in place of theirs.
      host.isConnected || document.documentElement.append(host);
      chip.textContent = word;
      chip.dataset.tone = tone;
    },
    show(title, rows, empty) {
      const part = drawn[title] || section(title);
      const text = JSON.stringify(rows);
      // What stands there may be selected, or have the focus.
      if (text == part.text) return;
      part.text = text;
      part.count.textContent = "" + rows.length;
      part.place.replaceChildren(rows[0] ? element("ul", {}, ...rows.map(line)) : element("p", {}, empty));
    },
  };
}
