import type { Answer } from "../state/state";

/** What the layers ask of those above them, who decide and post. */
export interface Acts {
  decide(action: string, method: string, answer: Answer): void;
  decideAll(action: string, method: string): void;
  /** Grant one purpose or vendor and leave the rest as it stands. */
  always(key: string): void;
  /** Add to a counter of the server. */
  count(path: string): unknown;
}

export let acts: Acts;

export const useActs = (given: Acts): void => void (acts = given);
