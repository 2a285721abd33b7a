/** One act of a visitor as it is posted (contract, section 4.1). */
export interface Post {
  decision_id: string;
  [field: string]: unknown;
}

const KEY = "eu-consent-outbox";
const MOST = 20;

export const add = (list: Post[], post: Post): Post[] => [...list, post].slice(-MOST);

export const without = (list: Post[], post: Post): Post[] =>
  list.filter((queued) => queued.decision_id != post.decision_id);

/** Whether an answer ends the matter: sending a refused body again cannot mend it, a busy or broken server can recover. */
export const isFinal = (status: number): boolean =>
  status < 500 && ![408, 425, 429].includes(status);

/** The bodies of a stored outbox; a damaged one is empty. */
export function parse(text: string | null): Post[] {
  try {
    return JSON.parse(text!).filter((post: Post) => post.decision_id).slice(-MOST);
  } catch {
    return [];
  }
}

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

export const waiting = (): Post[] => parse(stored(KEY));

export const keepWaiting = (list: Post[]): void => void stored(KEY, list[0] ? JSON.stringify(list) : null);
