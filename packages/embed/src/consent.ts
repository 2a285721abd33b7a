import type { ConsentWidget, Decision } from "./consent-widget.js";

/** What an application knows of the visitor's consent. */
export interface Consent {
  /** Whether the widget is there. Until then nothing is granted. */
  readonly ready: boolean;
  /** The decision that stands; null before a choice. */
  readonly decision: Decision | null;
  /** Whether a purpose or a vendor is granted. */
  readonly allows: (key: string) => boolean;
  /** `window.consentWidget` */
  readonly widget: ConsentWidget | null;
}

/** On a server, while a page hydrates, and until the widget is there. */
export const UNKNOWN: Consent = { ready: false, decision: null, allows: () => false, widget: null };

/** The widget; an element of the page's can have its name. */
export const findWidget = (): ConsentWidget | undefined => {
  const { consentWidget } = window;
  return consentWidget?.allows && consentWidget;
};

let current = UNKNOWN;
let written: string;

/** The same object as long as nothing has changed. */
export function readConsent(): Consent {
  const widget = findWidget();
  if (!widget) return UNKNOWN;
  const { decision } = widget;
  const text = JSON.stringify(decision);
  if (current.widget != widget || text != written)
    current = { ready: true, decision, allows: (key) => widget.allows(key), widget };
  written = text;
  return current;
}

/** Call this whenever consent may have changed, until what is returned is called. */
export function watchConsent(changed: () => void): () => void {
  const names = ["consent:ready", "consent:change"];
  for (const name of names) document.addEventListener(name, changed);
  return () => {
    for (const name of names) document.removeEventListener(name, changed);
  };
}
