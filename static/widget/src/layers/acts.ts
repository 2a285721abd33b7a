import type { Answer } from "../state/state";

/** What the layers ask of those above them, who decide and post. */
export interface Acts {
  decide(action: string, method: string, answer: Answer, left?: number): void;
  decideAll(action: string, method: string): void;
  /** A conversion of the site file. */
  conversion(name: string, params?: Record<string, unknown>): void;
  /** Add to a counter of the server. */
  count(path: string, counts?: object): unknown;
  /** Post to the server; settles with nothing where there is no answer. */
  send(path: string, body: string, credentials?: RequestCredentials): Promise<Response | undefined>;
  /** Take what the cookie holds. */
  read?(): void;
  /** Hear what a visitor does in the page. */
  listen(): void;
}

export let acts: Acts;

export const useActs = (given: Acts): void => void (acts = given);
