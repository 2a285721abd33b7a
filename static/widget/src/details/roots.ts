const shadows = new Set<WeakRef<ShadowRoot>>();
const known = new WeakSet<ShadowRoot>();

/** What the selector takes, in the page and in its open shadow roots. */
export function everywhere(selector: string): HTMLElement[] {
  const elements = [...document.querySelectorAll<HTMLElement>(selector)];
  for (const shadow of shadows) {
    const root = shadow.deref();
    if (!root) shadows.delete(shadow);
    else if (root.host.isConnected) elements.push(...root.querySelectorAll<HTMLElement>(selector));
  }
  return elements;
}

/** Call `changed` whenever elements come or go, or an attribute says something else, also in open shadow roots. */
export function watch(attributeFilter: string[], changed: () => void): void {
  const observer = new MutationObserver((records) => {
    for (const { addedNodes } of records) addedNodes.forEach(adopt);
    changed();
  });
  const observe = (root: Node) => observer.observe(root, { childList: true, subtree: true, attributeFilter });

  function enter(root: ShadowRoot | null): void {
    if (!root || known.has(root) || /^consent-/.test(root.host.localName)) return;
    known.add(root);
    shadows.add(new WeakRef(root));
    observe(root);
    adopt(root);
  }

  function adopt(node: Node): void {
    enter((node as Element).shadowRoot);
    (node as Element).querySelectorAll?.("*").forEach(({ shadowRoot }) => enter(shadowRoot));
  }

  const { attachShadow } = Element.prototype;
  // A component may make its root long after it came into the page.
  Element.prototype.attachShadow = function (options) {
    const root = attachShadow.call(this, options);
    enter(this.shadowRoot);
    return root;
  };
  observe(document);
  adopt(document);
}
