import { tell } from "../page/events";
import { guard, warn } from "../page/guard";
import { choice, config } from "../state/current";
import { acts } from "./acts";
import { attach, mount, page, say, showBanner, showReopen } from "./banner";
import { later, localise } from "./later";

let counted: unknown;

/** Only what can be seen counts as shown, only before a choice, and after it is painted. */
const seen = () => choice || (counted ||= setTimeout(() => acts.count("shown")));

/** Do the work in a page that has a body and, for texts, in its language. */
function whenMounted(work: () => unknown, wait?: () => unknown): void {
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
export const openBanner = (first?: boolean): void =>
  whenMounted(() => {
    if (first && choice) return;
    showBanner();
    tell("shown");
  }, localise);

/** Take the banner away and leave the way back. */
export const closeBanner = (saved?: boolean): void =>
  whenMounted(() => {
    showReopen();
    if (saved) say(config.texts.saved, "h");
  });

export const showPreferences = (): void =>
  whenMounted(async () => {
    // Before the page is parsed nothing has put it there.
    attach();
    say(await later("show") ? "" : config.texts.failed);
  });

const refuse = () => acts.decideAll("refuse_all", "banner");

const buttons: Record<string, () => void> = {
  customise: showPreferences,
  accept: () => acts.decideAll("accept_all", "banner"),
  refuse,
  close: refuse,
};

const act = guard((action: string) => buttons[action]?.());
