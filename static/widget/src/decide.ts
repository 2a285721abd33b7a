import { post } from "./client";
import { later } from "./layers/later";
import { show } from "./layers/layers";
import { tell } from "./page/events";
import { guard } from "./page/guard";
import { flush, soon } from "./page/paint";
import { decode, readText, stillCounts, writeCookie } from "./state/cookie";
import { allowed, answered, askedAs, choice, choose, config, earlier, gpc, holdReceipt, keep } from "./state/current";
import { OUTBOX, OWED, stored } from "./state/outbox";
import { objections, useEdition } from "./state/rule";
import { complete, grantsAny, isWhole, takes, type Answer } from "./state/state";
import type { Apply } from "./vendors/adapter";

const DAY = 86400;

/** The answer in the cookie as this page last saw it. */
let known: string;
let applies: (Apply | undefined)[];

/** The answer in the cookie, without what the server adds to it: that stands last. */
const inCookie = (): string => readText().split(/&[is]=/)[0];

/** Let the page follow the choice. With `leaving` nothing new is loaded, since a reload comes. */
function follow(leaving?: boolean): void {
  for (const apply of applies) apply && guard(apply)(answered(), allowed, leaving, choice?.action);
}

/**
 * Take what is no longer granted from the browser, and from the page: tags that run cannot be stopped. It is owed to the
 * next page as long as the script for it cannot come.
 */
function takeBack(leaving: boolean): void {
  stored(OWED, "1");
  later("purge", leaving);
  // Tags that run on must not wait for a server that does not answer, nor for what the page made of Promise.
  if (leaving) setTimeout(() => location.replace(location.pathname + location.search), 1000);
}

/** One act of the visitor: kept and shown at once; told to the tags, and posted, when that is painted. */
export function decide(action: string, method: string, answer: Answer, left?: number): void {
  flush();
  const here = choice;
  // Another tab may have got an answer meanwhile.
  if (inCookie() != known) read();
  const before = earlier;
  const asked = askedAs();
  const visitor = before?.visitor || null;
  const lost = takes(config, before, answer);
  const leaving = takes(config, here, answer) && action != "gpc";
  const now = Math.floor(Date.now() / 1000);
  choose(keep({
    ...answer, action, visitor,
    // A signal is no new choice, and lengthens none. Of a refusal the day is enough, and names nobody.
    at: (RULES ? before && action == "gpc" : action == "gpc") ? before!.at : grantsAny(answer) ? now : now - now % DAY,
    revision: config.revision,
    gpc: gpc(),
  }));
  guard(writeCookie)(earlier!, config, left);
  const body = {
    notice: config.notice, action, method, ...answer, visitor,
    change: isWhole(config, before) || action == "withdraw", language: config.language,
    page: location.origin + location.pathname, gpc: gpc(), widget: config.widget, asked,
  };
  answered() && show();
  soon(() => {
    // To read back what was written takes the browser longer than to write it.
    known = inCookie();
    holdReceipt(null);
    follow(leaving);
    guard(post)(body);
    tell("change");
    if (lost) takeBack(leaving);
  });
}

export const decideAll = (action: string, method: string): void =>
  decide(action, method, complete(config, () => action == "accept_all"));

/** Take the choice that the cookie holds. */
export function read(): void {
  known = inCookie();
  if (RULES) useEdition(readText());
  keep(decode(readText()));
  choose(null);
  if (!earlier) return;
  if (!stillCounts(earlier, config.revision)) {
    if (RULES) choose(objections(earlier, config.revision));
    return;
  }
  choose(earlier);
  Object.assign(earlier, answered()
    ? complete(config, (key) => earlier!.grants[key], (key) => earlier!.vendors[key])
    : { action: "save" });
}

/** Let the page follow the stored choice. */
export function resume(tags: (Apply | undefined)[]): void {
  applies = tags;
  // A signal that came after the choice; until it is known what that leaves, nothing opens.
  (RULES ? answered() || config.asks : answered()) && gpc() && !(RULES ? choice?.gpc : choice!.gpc) ? later("signal", follow) : follow();
}

/** What is owed from earlier pages; the first look into a page's storage is slow, and no banner waits for it. */
export function catchUp(): void {
  if (!earlier) holdReceipt(null);
  if (stored(OUTBOX) || stored(OWED)) later("catchUp");
  // Drawn for this page alone, and kept nowhere.
  if (Math.random() < (config.sample ?? 0.02)) later("sample");
}

/** Follow what was decided in another document of the site: a tab, a frame, the page that this one comes back from. */
export function refresh(): void {
  flush();
  if (inCookie() == known) return;
  const before = choice;
  read();
  show();
  // The way back, where the banner stood.
  later("markup");
  const lost = takes(config, before, choice);
  follow(lost);
  tell("change");
  if (lost) takeBack(true);
}
