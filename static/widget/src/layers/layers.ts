import { tell } from "../page/events";
import { guard, warn } from "../page/guard";
import { soon } from "../page/paint";
import { writeCookie } from "../state/cookie";
import { answered, askedAs, choice, config, gpc } from "../state/current";
import { told } from "../state/rule";
import { acts } from "./acts";
import { attach, host, mount, say, showBanner, showReopen } from "./banner";
import { later, localise } from "./later";

let counted: unknown;

/** Whether this is the first page of a visit: the one before it was not of this site. Looked at here, and kept nowhere. */
const isArrival = () =>
  !performance.navigation?.type && !document.referrer.split("/")[2]?.endsWith(config.domain || location.host);

/** Only what can be seen counts as shown, only before a choice, and after it is painted. */
const seen = () => answered() || (counted ||= setTimeout(acts.count, 0, "shown", { asked: askedAs(), arrival: isArrival() }));

/** Once the page is parsed: whoever takes over what a server rendered finds it as it was, with the banner behind it. */
export const parsed = new Promise<unknown>((done) =>
  document.readyState == "loading" ? document.addEventListener("readystatechange", done) : done(0));

/** Do the work in a page that has a body and, for texts, in its language. */
const whenMounted = (work: () => unknown, wait?: () => unknown, ready: Promise<unknown> = parsed): unknown =>
  ready.then(wait).then(() => mount(act, seen, acts.listen)).then(work).catch(warn);

/** Show the banner; `first` is the widget's own wish, which a choice made meanwhile ends. */
export const openBanner = (first?: boolean): unknown =>
  whenMounted(() => {
    if (first && answered()) return;
    showBanner();
    if (gpc()) later("gpc", host.querySelector("[slot]")!);
    tell("shown");
  }, localise);

/** Ask who has not answered; for who has, leave the way back. In a frame of the site's own, the page around it does. */
export const show = (): unknown => frameElement || (answered() ? whenMounted(showReopen) : openBanner(true));

export const showPreferences = (): unknown =>
  whenMounted(async () => {
    // Before the page is parsed nothing has put it there.
    attach();
    say(await later("show") ? "" : config.texts.failed);
  }, undefined, document.body && Promise.resolve());

/** The banner goes first; what the answer brings about waits for the paint. */
const answer = (action: string) => () => {
  showReopen();
  soon(() => acts.decideAll(action, "banner"));
};

const refuse = answer("refuse_all");

/** Where nothing is asked there is nothing to accept: that the visitor was told is kept, and what stands stays. */
const close = () => {
  guard(writeCookie)(choice || told(config.revision), config);
  acts.read!();
  showReopen();
};

const buttons: Record<string, () => unknown> = {
  customise: showPreferences,
  accept: answer("accept_all"),
  refuse,
  close: refuse,
  more: () => host.toggleAttribute("data-cut"),
};

const act = guard((action: string) =>
  RULES && config.asks && /accept|close/.test(action) ? close() : buttons[action]?.());
