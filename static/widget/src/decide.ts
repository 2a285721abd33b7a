import { newId, post } from "./client";
import { readCookie, stands, writeCookie } from "./cookie";
import { allowed, choice, choose, config, hold, recall } from "./current";
import { purge } from "./deletion";
import { sweep, type Keeper } from "./gate";
import { guard } from "./guard";
import { every, complete, grantsAny, losses, underSignal, type Answer, type Choice } from "./state";
import type { Apply } from "./vendors/adapter";

let earlier: Choice | null = null;
let running = false;
let applies: (Apply | undefined)[];
let changed: () => void;

export const gpc = (): boolean =>
  (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;

export const keeper: Keeper = {
  allows: allowed,
  texts(key) {
    const name = [...config.vendors, ...config.purposes].find((one) => one.key == key) as { name?: string; title?: string };
    return ["placeholder", "once", "always"].map((text) => config.texts[text].replace("{vendor}", (name.name || name.title)!));
  },
  always(key) {
    const { grants, vendors } = choice || every(config, false);
    const purpose = config.purposes.some((one) => one.key == key);
    decide("save", "placeholder", purpose
      ? complete(config, { ...grants, [key]: true }, vendors)
      : complete(config, grants, { ...vendors, [key]: true }));
  },
};

/** Let the page follow the choice. With `leaving` nothing new is loaded, since a reload comes. */
function follow(leaving: boolean): void {
  applies.forEach((apply) => apply && guard(apply)(choice, allowed, leaving));
  if (!choice) return;
  running = true;
  guard(purge)(config.vendors, allowed);
  if (!leaving) sweep(keeper);
}

/** One act of the visitor, in the order that the contract fixes: kept, told to the tags, posted. */
export function decide(action: string, method: string, answer: Answer): void {
  const before = choice;
  const visitor = earlier && earlier.visitor;
  const signal = action == "gpc";
  const next: Choice = {
    ...answer, action,
    at: signal ? before!.at : Math.floor(Date.now() / 1000),
    revision: config.revision,
    gpc: gpc(),
    visitor: grantsAny(answer) ? visitor : null,
    state: null,
  };
  const leaving = running && losses(config, before, next)[0] != null;
  choose(next);
  writeCookie(next, config);
  hold(null, false);
  follow(leaving);
  post({
    decision_id: newId(), notice: config.notice, action, method, ...answer, visitor,
    change: !!earlier || action == "withdraw", language: config.language,
    page: location.origin + location.pathname, gpc: next.gpc, widget: config.widget,
  });
  earlier = next;
  changed();
  // Tags that run cannot be stopped: Analytics would write its cookies again.
  if (leaving) location.reload();
}

export const decideAll = (action: string, method: string): void =>
  decide(action, method, every(config, action == "accept_all"));

function read(): Choice | null {
  earlier = readCookie(config.days);
  if (!earlier || !stands(earlier, config.revision)) return null;
  return { ...earlier, ...complete(config, earlier.grants, earlier.vendors) };
}

export const restore = (): void => choose(read());

/** Let the page follow the stored choice. */
export function resume(tags: (Apply | undefined)[], onChange: () => void): void {
  applies = tags;
  changed = onChange;
  const rest = choice && !choice.gpc && gpc() && underSignal(config, choice);
  if (rest) return decide("gpc", "signal", rest);
  if (choice && grantsAny(choice)) recall();
  follow(false);
}

/** A page that comes back from the back/forward cache may have missed a decision. */
export function refresh(): void {
  const before = choice;
  const next = read();
  const leaving = losses(config, before, next)[0] != null;
  if (!next || (before && before.at == next.at && !leaving)) return;
  choose(next);
  follow(leaving);
  changed();
  if (leaving) location.reload();
}
