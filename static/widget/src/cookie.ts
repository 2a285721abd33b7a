import type { Config } from "./config";
import { grantsAny, type Choice } from "./state";

const NAME = "eu-consent";
const DAY = 86400;

/** The value of the cookie: one boolean a purpose (CNIL 2020-092), and no identifier without a grant. */
export function encode(choice: Choice): string {
  const fields = new URLSearchParams({ v: "1", t: "" + choice.at, n: choice.revision });
  for (const key in choice.grants) fields.set("p." + key, "" + +choice.grants[key]);
  for (const key in choice.vendors) fields.set("v." + key, "" + +choice.vendors[key]);
  if (choice.gpc) fields.set("g", "1");
  if (grantsAny(choice)) {
    if (choice.visitor) fields.set("i", choice.visitor);
    if (choice.state) fields.set("s", choice.state);
  }
  return "" + fields;
}

/** A choice of any revision, or null when the value is damaged, expired or of the future. `now` is in Unix seconds. */
export function decode(value: string, days: number, now: number): Choice | null {
  const fields = new URLSearchParams(value);
  const at = +(fields.get("t") || NaN);
  if (fields.get("v") != "1" || !(at > now - days * DAY && at < now + DAY)) return null;
  const choice: Choice = {
    at,
    revision: fields.get("n") || "",
    grants: {},
    vendors: {},
    gpc: fields.get("g") == "1",
    visitor: fields.get("i"),
    state: fields.get("s"),
  };
  for (const name of fields.keys()) {
    // Given twice is not a clear yes.
    const on = "" + fields.getAll(name) == "1";
    if (/^p\../.test(name)) choice.grants[name.slice(2)] = on;
    if (/^v\../.test(name)) choice.vendors[name.slice(2)] = on;
  }
  return choice;
}

/** Whether a choice of an earlier notice still counts: a refusal is not asked again, a grant is. */
export const stands = (choice: Choice, revision: string): boolean =>
  choice.revision == revision || !grantsAny(choice);

export function readCookie(days: number): Choice | null {
  try {
    for (const pair of document.cookie.split("; ")) {
      const choice = pair.startsWith(NAME + "=") && decode(pair.slice(NAME.length + 1), days, Date.now() / 1000);
      if (choice) return choice;
    }
  } catch {
    // A page that may not use cookies asks again on its next load.
  }
  return null;
}

export function writeCookie(choice: Choice, { days }: Pick<Config, "days">): void {
  const left = Math.round(choice.at + days * DAY - Date.now() / 1000);
  setCookie(`${NAME}=${encode(choice)};Path=/;SameSite=Lax;Max-Age=${left}` +
    (location.protocol == "https:" ? ";Secure" : ""));
}

export function setCookie(text: string): void {
  try {
    document.cookie = text;
  } catch {
    // Sandboxed frames throw here; the choice then holds for this page only.
  }
}
