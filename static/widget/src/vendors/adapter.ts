import type { Config, Vendor } from "../config";
import type { Answer } from "../state";

/** Arguments of one call that page code made, as the vendor's own queue keeps them. */
export type Call = ArrayLike<any>;

export type Notice = Pick<Config, "advanced" | "purposes">;

/**
 * Called with null at the start and then once a decision. With `leaving` the page is about to reload:
 * take back, and load nothing new.
 */
export type Apply = (answer: Answer | null, allows: (key: string) => boolean | undefined, leaving?: boolean) => void;

export type Adapter = (notice: Notice, vendors: Vendor[], load: (src: string) => Promise<boolean>) => Apply;
