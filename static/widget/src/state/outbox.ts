/** One act of a visitor as it is posted (contract, section 4.1). */
export interface Post {
  decision_id: string;
  [field: string]: unknown;
}

const KEY = "eu-consent-outbox";
const MOST = 20;

/** Set while what denied vendors have stored is still to be deleted. */
export const OWED = "eu-consent-purge";

/** The bodies of a stored outbox, a line each; versions before 0.3 kept an array. */
export const lines = (text: string | null): string[] =>
  (text || "").replace(/^\[|]$/g, "").split(/\n|,(?={)/).filter(Boolean);

/** Read or write a key of localStorage that may be blocked; null takes it away. */
export function stored(key: string, value?: string | null): string | null {
  try {
    if (value) localStorage.setItem(key, value);
    else if (value === null) localStorage.removeItem(key);
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export const waiting = (): string[] => lines(stored(KEY));

const keep = (list: string[]): void => void stored(KEY, list.slice(-MOST).join("\n") || null);

export const add = (line: string): void => keep([...waiting(), line]);

/** Take a decision out of what waits. */
export const forget = (line: string): void => keep(waiting().filter((other) => other != line));
