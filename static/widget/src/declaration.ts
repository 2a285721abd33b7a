import { element } from "./page/element";

/** An element as its name, attributes and children; text as it is. */
type Made = string | [string, Record<string, string>, Made[]];

const make = (made: Made): Node | string =>
  typeof made == "string" ? made : element(made[0], made[1], ...made[2].map(make));

/** Fills each <consent-declaration> of the page with what the site declares, in the language of its place. */
export default (site: string): void => {
  const source = new URL((document.currentScript as HTMLScriptElement).src);
  const server = source.href.slice(0, source.href.lastIndexOf("/widget/"));
  const name = "consent-declaration";

  class Declaration extends HTMLElement {
    async connectedCallback() {
      const lang = source.searchParams.get("lang") || this.closest<HTMLElement>("[lang]")?.lang || "";
      try {
        const reply = await fetch(`${server}/sites/${site}/declaration?format=elements&lang=${lang}`);
        if (!reply.ok) return;
        const { language, direction, elements } = await reply.json();
        this.lang = language;
        this.dir = direction;
        this.replaceChildren(...elements.map(make));
        // The looks are the page's; this much it needs to fit a small screen. No policy forbids what script sets.
        this.style.cssText = "display:block;overflow-wrap:anywhere";
        for (const wide of this.querySelectorAll<HTMLElement>(".scroll")) wide.style.overflowX = "auto";
      } catch {
        // What stands in the element, a link to the page, is left there.
      }
    }
  }
  // A page may have the tag twice.
  customElements.get(name) || customElements.define(name, Declaration);
};
