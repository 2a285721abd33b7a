import { computed, onMounted, onUnmounted, shallowRef, type ComputedRef } from "vue";
import { readConsent, UNKNOWN, watchConsent, type Consent } from "./consent.js";

/** The visitor's consent, each member a ref of its own; `allows` is tracked where it is called. */
export interface UseConsent {
  readonly ready: ComputedRef<boolean>;
  readonly decision: ComputedRef<Consent["decision"]>;
  readonly allows: Consent["allows"];
  readonly widget: ComputedRef<Consent["widget"]>;
}

/** The visitor's consent now. On a server, and until the component is mounted, nothing is granted. */
export function useConsent(): UseConsent {
  const consent = shallowRef(UNKNOWN);
  const read = () => void (consent.value = readConsent());
  let stop: () => void;
  onMounted(() => {
    stop = watchConsent(read);
    read();
  });
  onUnmounted(() => stop());
  return {
    ready: computed(() => consent.value.ready),
    decision: computed(() => consent.value.decision),
    allows: (key) => consent.value.allows(key),
    widget: computed(() => consent.value.widget),
  };
}
