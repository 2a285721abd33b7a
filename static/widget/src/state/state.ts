import type { Config, Flags } from "./config";
import { granted, standing } from "./rule";

/** A settled answer: every purpose, and the vendors that differ from their purposes. */
export interface Answer {
  grants: Flags;
  vendors: Flags;
}

/** A visitor's standing decision. `at` is in Unix seconds. */
export interface Choice extends Answer {
  action: string;
  at: number;
  revision: string;
  gpc: boolean;
  visitor?: string | null;
  state?: string | null;
}

type Notice = Pick<Config, "purposes" | "vendors">;
type Ask = (key: string) => unknown;

/** Whether a purpose or vendor may run; undefined for a key that the notice does not know. */
export function allows({ purposes, vendors }: Notice, answer: Answer | null, key: string): boolean | undefined {
  if (RULES) answer = standing(purposes, answer);
  const vendor = vendors.find((known) => known.key == key);
  if (vendor || purposes.some((known) => known.key == key))
    return !!answer && !!(vendor ? answer.vendors[key] ?? vendor.purposes.some((purpose) => answer.grants[purpose]) : answer.grants[key]);
}

/** Settle an answer against the notice: silence is a denial, and only `true` is a grant. */
export function complete(notice: Notice, purpose: Ask, vendor: Ask = () => 0): Answer {
  const answer: Answer = { grants: {}, vendors: {} };
  for (const { key } of notice.purposes) answer.grants[key] = purpose(key) === true;
  for (const { key } of notice.vendors) {
    const own = vendor(key);
    if (own === !allows(notice, answer, key)) answer.vendors[key] = own;
  }
  return answer;
}

/**
 * Whether the banner was answered: under this notice every purpose has its answer. Before that a stand-in may have
 * granted one vendor, and the rest is still asked.
 */
export const isWhole = ({ purposes, revision }: Pick<Config, "purposes" | "revision">, choice: Choice | null): boolean =>
  !!choice && (choice.revision != revision || purposes.every(({ key }) => choice.grants[key] != null));

/** The name of the act that would have given this answer. */
export function actionOf({ grants, vendors }: Answer): string {
  const flags = Object.values({ ...grants, ...vendors });
  return !flags.includes(true) ? "refuse_all" : flags.includes(false) ? "save" : "accept_all";
}

export const grantsAny = (answer: Answer): boolean => actionOf(RULES ? granted(answer) : answer) != "refuse_all";

/** What Global Privacy Control leaves of an answer. */
export function underSignal(notice: Notice, { grants, vendors }: Answer): Answer {
  const kept = (key: string) => notice.purposes.some((purpose) => purpose.key == key && !purpose.gpc);
  return complete(notice, (key) => kept(key) && grants[key],
    (key) => vendors[key] && notice.vendors.find((vendor) => vendor.key == key)!.purposes.some(kept));
}

/** Whether something was granted before and no longer is. */
export const takes = (notice: Notice, before: Answer | null, after: Answer | null): boolean =>
  [...notice.purposes, ...notice.vendors]
    .some(({ key }) => allows(notice, before, key) && !allows(notice, after, key));
