import type { Config, Flags } from "./config";

/** A visitor's standing decision. `at` is in Unix seconds; `vendors` holds only those that differ from their purposes. */
export interface Choice {
  at: number;
  revision: string;
  grants: Flags;
  vendors: Flags;
  gpc: boolean;
  visitor: string | null;
  state: string | null;
  /** Known only on the page where it was made; the cookie does not hold it. */
  action?: string;
}

export type Answer = Pick<Choice, "grants" | "vendors">;
type Notice = Pick<Config, "purposes" | "vendors">;

/** Whether a purpose or vendor is granted; undefined for a key that the notice does not know. */
export function allows(notice: Notice, answer: Answer | null, key: string): boolean | undefined {
  if (notice.purposes.some((purpose) => purpose.key === key)) return !!answer && answer.grants[key] === true;
  const vendor = notice.vendors.find((one) => one.key === key);
  return vendor && !!answer &&
    (answer.vendors[key] ?? vendor.purposes.some((purpose) => answer.grants[purpose])) === true;
}

/** Complete an answer against the notice: silence is a denial, and only `true` is a grant. */
export function complete(notice: Notice, grants: Record<string, unknown>, vendors: Record<string, unknown> = {}): Answer {
  const answer: Answer = { grants: {}, vendors: {} };
  for (const { key } of notice.purposes) answer.grants[key] = grants[key] === true;
  for (const { key } of notice.vendors) {
    const own = vendors[key];
    if (typeof own == "boolean" && own !== allows(notice, answer, key)) answer.vendors[key] = own;
  }
  return answer;
}

export const every = (notice: Notice, on: boolean): Answer =>
  complete(notice, Object.fromEntries(notice.purposes.map(({ key }) => [key, on])));

export const grantsAny = ({ grants, vendors }: Answer): boolean =>
  Object.values(grants).concat(Object.values(vendors)).includes(true);

/** What remains of an answer under Global Privacy Control, or null when the signal takes nothing from it. */
export function underSignal(notice: Notice, answer: Answer): Answer | null {
  const kept = (keys: string[]) => keys.some((key) => !notice.purposes.find((one) => one.key === key)?.gpc);
  const rest = complete(notice,
    Object.fromEntries(Object.entries(answer.grants).map(([key, on]) => [key, on && kept([key])])),
    Object.fromEntries(notice.vendors.map(({ key, purposes }) => [key, kept(purposes) && answer.vendors[key]])));
  return losses(notice, answer, rest)[0] ? rest : null;
}

/** The keys that were granted and no longer are. */
export const losses = (notice: Notice, before: Answer | null, after: Answer | null): string[] =>
  [...notice.purposes, ...notice.vendors]
    .map(({ key }) => key)
    .filter((key) => allows(notice, before, key) && !allows(notice, after, key));
