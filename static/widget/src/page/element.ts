/** A new element with its attributes and children. */
export function element(name: string, attributes: Record<string, string>, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(name);
  for (const name of Object.keys(attributes)) made.setAttribute(name, attributes[name]);
  made.append(...children);
  return made;
}

export const button = (action: string, text: string, attributes = {}): HTMLElement =>
  element("button", { "data-action": action, slot: "a", ...attributes }, text);

/** Style a shadow root by a constructed sheet, which no content security policy forbids. */
export function paint(root: ShadowRoot, css: string): unknown {
  const sheet = new CSSStyleSheet();
  // Important declarations of the inner context win over the page's, important or not (CSS Cascade 5).
  sheet.replaceSync(css.replace(/([^}])([;}])/g, "$1!important$2"));
  return (root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet]);
}

/** The start tag of an element, to find it by. */
export const startTag = (element: Element): string => (element.cloneNode() as Element).outerHTML.split("</")[0];

/** Settles when the script has come or failed to. */
export const arrival = (script: HTMLScriptElement): Promise<unknown> =>
  new Promise((done) => (script.onload = script.onerror = done));
