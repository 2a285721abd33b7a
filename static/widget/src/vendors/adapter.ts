import type { Config, Vendor } from "../state/config";
import type { guardProperty } from "./replaced";

/** Arguments of one call that page code made, as the vendor's own queue keeps them. */
export type Call = IArguments | any[];

export type Ask = (key: string) => unknown;

export type Notice = Pick<Config, "advanced" | "google" | "purposes"> & Partial<Pick<Config, "vendors">>;

/**
 * Called at the start, when nothing may be decided yet, and then once a decision. With `leaving` the page is
 * about to reload: take back, and load nothing new.
 */
export type Apply = (decided: boolean, allows: Ask, leaving?: boolean, action?: string) => void;

/** Add to counters of the server; lost when it does not answer. */
export type Count = (path: string, counts: object) => unknown;

/** Keep a property what is made of it, whatever page code assigns to it. Handed over, so that a page has it once. */
export type Guard = typeof guardProperty;

/** Tell the site's developers, once a text. */
export type Warn = (text: string) => void;

export type Adapter = (
  notice: Notice, vendors: Vendor[], load: (src: string) => Promise<unknown>, count: Count, warn: Warn, guardProperty: Guard,
) => Apply;
