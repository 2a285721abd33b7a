interface TrustedPolicy {
  createScriptURL(url: string): string;
  createScript(text: string): string;
}

interface TrustedWindow {
  trustedTypes?: { createPolicy(name: string, rules: TrustedPolicy): TrustedPolicy };
}

/** The widget's own tag. Its `src` tells where the consent server is, its nonce goes to each script that is added. */
export const tag = (document.currentScript || document.querySelector('script[src*="/widget/"]')) as HTMLScriptElement;

const same = (text: string) => text;
let policy: TrustedPolicy = { createScriptURL: same, createScript: same };
try {
  policy = (window as TrustedWindow).trustedTypes?.createPolicy("consent-widget", policy) || policy;
} catch {
  // A page that forbids this policy also forbids the tags: they stay shut.
}

const nonce = tag?.nonce;

/** A script element that runs once it is in the page. */
export function script(src: string | null, text = ""): HTMLScriptElement {
  const element = document.createElement("script");
  if (nonce) element.nonce = nonce;
  if (src) element.src = policy.createScriptURL(src);
  else element.text = policy.createScript(text);
  return element;
}

/** Settles with whether the script came; never rejects. */
export const arrival = (element: HTMLScriptElement): Promise<boolean> =>
  new Promise((done) => {
    element.onload = () => done(true);
    element.onerror = () => done(false);
  });

export function load(src: string): Promise<boolean> {
  const element = script(src);
  const come = arrival(element);
  document.head.append(element);
  return come;
}
