/** One act of a visitor as it is posted (contract, section 4.1). */
export interface Post {
  decision_id: string;
  [field: string]: unknown;
}

export const OUTBOX = "eu-consent-outbox";
const MOST = 20;

/** Set while what denied vendors have stored is still to be deleted. */
export const OWED = "eu-consent-purge";

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

/** Keep a decision until it is recorded. */
export const add = (line: string): void => void stored(OUTBOX, (stored(OUTBOX) || "") + "\n" + line);

/** The bodies of a stored outbox, a line each, the newest twenty; versions before 0.3 kept an array. */
export const lines = (text: string | null): string[] =>
  (text || "").replace(/^\[|]$/gm, "").split(/\n|,(?={)/).filter(Boolean).slice(-MOST);

export const waiting = (): string[] => lines(stored(OUTBOX));

/** Take a decision out of what waits. */
export const forget = (line: string): void =>
  void stored(OUTBOX, waiting().filter((other) => other != line).join("\n") || null);
