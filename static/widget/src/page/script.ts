import { arrival } from "./element";

const rules = { createScriptURL: (url: string) => url, createScript: (text: string) => text };

// Not by way of `document`, where markup can put an element under any name (DOM clobbering).
const running = Object.getOwnPropertyDescriptor(Document.prototype, "currentScript")!.get!.call(document);

/** The widget's own tag. Its `src` tells where the consent server is, its nonce goes to each script that is added. */
export const tag: HTMLScriptElement | null = running;

/** The consent server, also behind a path of the site's own host. */
export let base: string;

/** Learn where the consent server is. A module does not see its tag, and a bundle has another: there the notice's address counts. */
export function locate(server: string): void {
  const [place, ours] = tag?.src.split("/widget/") || [];
  base = ours ? place : server;
}

let policy = rules;
try {
  policy = (window as any).trustedTypes.createPolicy("consent-widget", rules);
} catch {
  // Not known to this browser, or forbidden by the page: then the browser itself refuses the tags.
}

/** A script element that runs once it is in the page. */
export function script(src: string | null | undefined, text = ""): HTMLScriptElement {
  const element = document.createElement("script");
  element.nonce = tag?.nonce || "";
  if (src) element.src = policy.createScriptURL(src);
  else element.text = policy.createScript(text);
  return element;
}

export function load(src: string): Promise<unknown> {
  const element = script(src);
  element.dataset.consentDone = "";
  document.head.append(element);
  return arrival(element);
}
