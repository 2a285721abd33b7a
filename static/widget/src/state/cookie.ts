import type { Config } from "./config";
import { actionOf, grantsAny, type Answer, type Choice } from "./state";

const DAY = 86400;

/** A choice; without a time where the visitor was only told. */
type Kept = Omit<Choice, "at"> & { at?: number };

/** The value of the cookie: one boolean a purpose (CNIL 2020-092), and no identifier without a grant. */
export function encode(choice: Kept): string {
  const { grants, vendors, visitor, state } = choice;
  const fields: Record<string, any> = { v: 1, t: choice.at, n: choice.revision };
  if (RULES && choice.at == null) delete fields.t;
  // Never `in`: a page may have put methods on every object.
  for (const [kind, flags] of Object.entries({ p: grants, v: vendors }))
    for (const [key, on] of Object.entries(flags)) fields[kind + "." + key] = +on;
  if (choice.gpc) fields.g = 1;
  if (grantsAny(choice)) {
    if (visitor) fields.i = visitor;
    if (state) fields.s = state;
  }
  return "" + new URLSearchParams(fields);
}

/**
 * A choice of any revision, or null when the value is damaged. Its age is the browser's business (Max-Age): the clock
 * that wrote the time may be another one, the server's or a device's that was wrong.
 */
export function decode(value: string): Choice | null {
  const fields = new URLSearchParams(value);
  const { v, t, n, g, i, s } = Object.fromEntries(fields);
  if (v != "1" || !/^\d+$/.test(t)) return null;
  const answer: Answer = { grants: {}, vendors: {} };
  for (const name of fields.keys())
    // Given twice is not a clear yes.
    if (/^[pv]\../.test(name)) (name[0] == "p" ? answer.grants : answer.vendors)[name.slice(2)] = "" + fields.getAll(name) == "1";
  return { ...answer, action: actionOf(answer), at: +t, revision: n, gpc: g == "1", visitor: i, state: s };
}

/** Whether a choice under an earlier notice still counts: a refusal is not asked again, a grant is. */
export const stillCounts = (choice: Choice, revision: string): boolean =>
  choice.revision == revision || !grantsAny(choice);

/** What stands in the cookie; empty where there is none, or the page may not use cookies. */
export function readText(): string {
  try {
    return /(^| )eu-consent=([^;]*)/.exec(document.cookie)?.[2] || "";
  } catch {
    return "";
  }
}

/** What is left of a choice's life, in seconds; all of it where the clock that wrote its time is not this one. */
export function lifeOf({ at }: Choice, { days }: Pick<Config, "days">): number {
  const life = days * DAY;
  const left = Math.floor(at + life - Date.now() / 1000);
  return left > 0 && left < life ? left : life;
}

/** Throws in a sandboxed frame: the choice then holds for this page only. Kept for the notice's days, or for so many seconds. */
export function writeCookie(choice: Kept, { days, domain }: Pick<Config, "days" | "domain">, life = days * DAY): void {
  // Not on a page that a developer serves from their own machine.
  const wide = location.hostname.endsWith(domain!) ? ";Domain=" + domain : "";
  // One from before there was a domain would hide the other.
  if (wide) document.cookie = "eu-consent=;Path=/;Max-Age=0";
  document.cookie = `eu-consent=${encode(choice)};Path=/;SameSite=Lax;Max-Age=${life}${location.protocol == "https:" ? ";Secure" : ""}${wide}`;
}
