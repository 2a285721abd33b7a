import type { Config, Vendor } from "../state/config";

/** Arguments of one call that page code made, as the vendor's own queue keeps them. */
export type Call = IArguments | any[];

export type Ask = (key: string) => unknown;

export type Notice = Pick<Config, "advanced" | "purposes">;

/**
 * Called at the start, when nothing may be decided yet, and then once a decision. With `leaving` the page is
 * about to reload: take back, and load nothing new.
 */
export type Apply = (decided: boolean, allows: Ask, leaving?: boolean) => void;

/** Add to counters of the server; lost when it does not answer. */
export type Count = (path: string, counts: object) => unknown;

export type Adapter = (notice: Notice, vendors: Vendor[], load: (src: string) => Promise<unknown>, count: Count) => Apply;
