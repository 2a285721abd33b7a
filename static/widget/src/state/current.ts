import type { Config } from "./config";
import { stored } from "./outbox";
import { useRule, wasTold } from "./rule";
import { allows, isWhole, type Choice } from "./state";

/** What this page knows: the notice, the decision that stands, and the receipt of the last act. */
export let config: Config;
export let choice: Choice | null;
/** The choice of the cookie, also one that has ended. */
export let earlier: Choice | null;
/** The sheet of the site's layouts. */
export let sheet: string;
const RECEIPT = "eu-consent-receipt";

let receiptUrl: string | null;

export const useConfig = (next: Config): void => void (config = next, RULES && useRule(next, gpc()));

export const useSheet = (next: string): void => void (sheet = next);

export const choose = (next: Choice | null): void => void (choice = next);

export const keep = (next: Choice | null): Choice | null => (earlier = next);

/** The receipt of the last act, also of an earlier page. */
export const receipt = (): string | null => receiptUrl || stored(RECEIPT);

/** Kept on the device only while a grant stands: a visitor who refuses carries no identifier. */
export function holdReceipt(url: string | null, keep?: boolean): void {
  receiptUrl = url;
  stored(RECEIPT, keep ? url : null);
}

/** Whether the browser sends Global Privacy Control. */
export const gpc = (): boolean => !!(navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl;

/** Whether the visitor has answered the banner, on this page or an earlier one, or there is nothing to answer. */
export const answered = (): boolean =>
  RULES && config.asks
    ? config.asks == "nothing" || isWhole(config, choice) || wasTold(config.revision)
    : isWhole(config, choice);

/** Whether the browser's signal was recorded where nothing is asked, and nothing was turned on again since. */
export const isHonored = (): boolean =>
  !!config.asks && gpc() && !!choice?.gpc && !config.purposes.some((purpose) => purpose.gpc && allowed(purpose.key));

let asked: string | undefined;

/** What the banner asks: for the first time, or again, since an earlier choice has ended. Nothing where one stands. */
export const askedAs = (): string | undefined =>
  answered() ? undefined : (asked ||= isWhole(config, earlier) ? "again" : "first");

export const allowed = (key: string): boolean | undefined => allows(config, choice, key);
