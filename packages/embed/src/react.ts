import { useSyncExternalStore } from "react";
import { readConsent, UNKNOWN, watchConsent, type Consent } from "./consent.js";

export type { Consent };

/** The visitor's consent now. The component is drawn anew when it changes; on a server nothing is granted. */
export const useConsent = (): Consent => useSyncExternalStore(watchConsent, readConsent, () => UNKNOWN);
