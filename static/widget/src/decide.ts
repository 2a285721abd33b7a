import { post, resend } from "./client";
import { later } from "./layers/later";
import { sweep, type Cover } from "./page/gate";
import { guard } from "./page/guard";
import { readCookie, stillCounts, writeCookie } from "./state/cookie";
import { allowed, choice, choose, config, gpc, holdReceipt, recallReceipt } from "./state/current";
import { stored } from "./state/outbox";
import { complete, takes, underSignal, type Answer, type Choice } from "./state/state";
import type { Apply } from "./vendors/adapter";

let earlier: Choice | null;
let applies: (Apply | undefined)[];
let changed: () => void;

export const cover: Cover = (frame, key) => later("cover", frame, key);

/** Let the page follow the choice. With `leaving` nothing new is loaded, since a reload comes. */
function follow(leaving?: boolean): void {
  for (const apply of applies) apply && guard(apply)(!!choice, allowed, leaving);
  if (choice && !leaving) sweep(cover);
}

const OWED = "eu-consent-purge";

/** Delete what denied vendors stored; owed to the next page as long as the script for it cannot come. */
const purge = async () => {
  if (await later("purge")) stored(OWED, null);
};

/** One act of the visitor, in the order that the contract fixes: kept, told to the tags, posted. */
export function decide(action: string, method: string, answer: Answer): void {
  const before = earlier;
  const visitor = before && before.visitor;
  const lost = takes(config, before, answer);
  // Tags that run cannot be stopped: Analytics would write its cookies again.
  const leaving = lost && !!choice && action != "gpc";
  earlier = {
    ...answer, action, visitor,
    // A signal is no new choice, and lengthens none.
    at: action == "gpc" ? before!.at : Math.floor(Date.now() / 1000),
    revision: config.revision,
    gpc: gpc(),
  };
  choose(earlier);
  guard(writeCookie)(earlier, config);
  holdReceipt(null);
  follow(leaving);
  post({
    notice: config.notice, action, method, ...answer, visitor,
    change: !!before || action == "withdraw", language: config.language,
    page: location.origin + location.pathname, gpc: gpc(), widget: config.widget,
  });
  changed();
  if (!lost) return;
  stored(OWED, "1");
  const leave = () => leaving && location.reload();
  purge().then(leave);
  // Tags that run on must not wait for a server that does not answer, nor for what the page made of Promise.
  setTimeout(leave, 1000);
}

export const decideAll = (action: string, method: string): void =>
  decide(action, method, complete(config, () => action == "accept_all"));

/** Grant one purpose or vendor and leave the rest as it stands. */
export function always(key: string): void {
  const { grants, vendors }: Answer = choice || { grants: {}, vendors: {} };
  const answer = complete(config,
    (purpose) => purpose == key || grants[purpose],
    (vendor) => vendor == key || vendors[vendor]);
  decide("save", "placeholder", answer);
}

function read(): Choice | null {
  earlier = readCookie(config.days);
  if (earlier) recallReceipt();
  return earlier && stillCounts(earlier, config.revision)
    ? Object.assign(earlier, complete(config, (key) => earlier!.grants[key], (key) => earlier!.vendors[key]))
    : null;
}

export const restore = (): void => choose(read());

/** Let the page follow the stored choice. */
export function resume(tags: (Apply | undefined)[], onChange: () => void): void {
  applies = tags;
  changed = onChange;
  const remaining = choice && underSignal(config, choice);
  if (remaining && gpc() && !choice!.gpc && takes(config, choice, remaining)) return decide("gpc", "signal", remaining);
  follow();
}

/** What is owed from earlier pages; the first look into a page's storage is slow, and no banner waits for it. */
export function catchUp(): void {
  if (!earlier) holdReceipt(null);
  resend();
  if (stored(OWED)) purge();
}

/** A page that comes back from the back/forward cache may have missed a decision. */
export function refresh(): void {
  if (readCookie(config.days)?.at != choice?.at) location.reload();
}
