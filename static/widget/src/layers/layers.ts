import { convert, tell } from "../api";
import { attach, isOpen, mount, page, rest, say, showBanner } from "./banner";
import { count } from "../client";
import { choice, config } from "../state/current";
import { decideAll } from "../decide";
import { guard, warn } from "../page/guard";
import { later, localise } from "./later";

let counted: unknown;

/** Only what can be seen counts as shown, only before a choice, and after it is painted. */
const seen = () => choice || (counted ||= setTimeout(() => count("shown")));

/** Do the work in a page that has a body and, for texts, in its language. */
function stand(work: () => unknown, wait?: () => unknown): void {
  new Promise<void>((done) => {
    const look = () => document.body && done(attach());
    look();
    new MutationObserver(look).observe(page, { childList: true });
  })
    .then(wait)
    .then(() => mount(act, seen))
    .then(work)
    .catch(warn);
}

/** Show the banner; `first` is the widget's own wish, which a choice made meanwhile ends. */
export const show = (first?: boolean): void =>
  stand(() => {
    if (first && choice) return;
    showBanner();
    tell("shown");
  }, localise);

/** Take the banner away and leave the way back. */
export const retire = (saved?: boolean): void =>
  stand(() => {
    rest();
    if (saved) say(config.texts.saved, "h");
  });

export const showPreferences = (): void =>
  stand(async () => {
    // Before the page is parsed nothing has put it there.
    attach();
    say(await later("show") ? "" : config.texts.failed);
  });

const refuse = () => decideAll("refuse_all", "banner");

const acts: Record<string, () => void> = {
  customise: showPreferences,
  accept: () => decideAll("accept_all", "banner"),
  refuse,
  close: refuse,
};

const act = guard((action: string) => acts[action]?.());

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
    if (key == "Escape" && isOpen() && (target as Element).matches("body,consent-widget *")) refuse();
  }));
  document.addEventListener("keyup", guard(({ key, target }) => {
    if (key == "Tab") later("clear", target as Element);
  }));
}
