const SVG = "http://www.w3.org/2000/svg";

/** The words that California prescribes for the link beside the icon (11 CCR 7015). */
const isOptOut = (text: string): boolean => /^Your (California )?Privacy Choices$/.test(text);

/** Styled by declarations that no page's own rules win over, and no content policy forbids. `all` would reset a path. */
function draw(name: string, attributes: Record<string, string>, styles: Record<string, string>, ...children: Node[]): SVGElement {
  const made = document.createElementNS(SVG, name) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  for (const [property, value] of Object.entries(styles)) made.style.setProperty(property, value, "important");
  made.append(...children);
  return made;
}

const line = (d: string, stroke: string) =>
  draw("path", { d }, { fill: "none", stroke, "stroke-width": "1.7px", "stroke-linecap": "round", "stroke-linejoin": "round" });

/** A pill in blue, parted aslant: a check mark on white, a cross on blue. Drawn after the official icon's description. */
const optOutIcon = (): SVGElement =>
  draw("svg", { viewBox: "0 0 30 14", "aria-hidden": "true" },
    { all: "initial", width: "2.15em", height: "1em", "margin-inline-end": ".6em", "vertical-align": "-.12em", display: "inline-block", "pointer-events": "none" },
    draw("path", { d: "M7 0h16a7 7 0 0 1 0 14H7A7 7 0 0 1 7 0Z" }, { fill: "#06f" }),
    draw("path", { d: "M7 1h10.4L13 13H7A6 6 0 0 1 7 1Z" }, { fill: "#fff" }),
    line("M4.7 7.1l2.3 2.4 4-5", "#06f"),
    line("M18.7 4.6l4.8 4.8m0-4.8l-4.8 4.8", "#fff"));

/** Give the link its icon, once, where its words are those that go with it. */
export function giveIcon(link: HTMLElement | null): void {
  if (link && isOptOut(link.textContent!) && !link.firstElementChild) link.prepend(optOutIcon());
}
