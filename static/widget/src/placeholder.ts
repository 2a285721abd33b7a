import { button, element, paint } from "./element";
import css from "./placeholder.css";

const BOX = "position,top,left,margin,float,flex,grid-area".split(",");

/** A stand-in of the same box as a gated frame, so that the page does not move. */
export function placeholder(frame: HTMLElement, texts: string[], act: (action: string) => void): HTMLElement {
  const made = element("consent-placeholder", {});
  const root = made.attachShadow({ mode: "open" });
  paint(root, css);
  root.append(element("p", {}, texts[0]), button("once", texts[1]), button("always", texts[2]));
  root.addEventListener("click", ({ target }) => act((target as HTMLElement).dataset.action!));
  const style = getComputedStyle(frame);
  for (const name of BOX) made.style.setProperty(name, style.getPropertyValue(name));
  made.style.width = frame.offsetWidth + "px";
  made.style.height = frame.offsetHeight + "px";
  frame.before(made);
  frame.style.setProperty("display", "none", "important");
  return made;
}
