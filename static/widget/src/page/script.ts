const rules = { createScriptURL: (url: string) => url, createScript: (text: string) => text };

/** The widget's own tag. Its `src` tells where the consent server is, its nonce goes to each script that is added. */
export const tag = (document.currentScript || document.querySelector('[src*="/widget/"]')) as HTMLScriptElement;
const nonce = tag?.nonce || "";

/** The consent server, also behind a path of the site's own host. */
export const base = tag?.src.split("/widget/")[0];

let policy = rules;
try {
  policy = (window as any).trustedTypes.createPolicy("consent-widget", rules);
} catch {
  // Not known to this browser, or forbidden by the page: then the browser itself refuses the tags.
}

/** A script element that runs once it is in the page. */
export function script(src: string | null, text = ""): HTMLScriptElement {
  const element = document.createElement("script");
  element.nonce = nonce;
  if (src) element.src = policy.createScriptURL(src);
  else element.text = policy.createScript(text);
  return element;
}

/** Settles when the script has come or failed to. */
export const arrival = (element: HTMLScriptElement): Promise<unknown> =>
  new Promise((done) => (element.onload = element.onerror = done));

export function load(src: string): Promise<unknown> {
  const element = script(src);
  document.head.append(element);
  return arrival(element);
}
