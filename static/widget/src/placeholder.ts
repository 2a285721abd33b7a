import type { Gated } from "./gate";
import css from "./placeholder.css";
import type { Kit } from "./second";

const BOX = "position,top,left,margin,float,flex,grid-area".split(",");

/** A stand-in of the same box as a gated frame, so that the page does not move. */
export function cover(kit: Kit, texts: Record<string, string>, name: string, frame: Gated, key: string): void {
  const { config, element, button } = kit;
  const say = (text: string) => texts[text].replace("{vendor}", name);
  const made = element("consent-placeholder", { lang: config.language, dir: config.direction || "ltr", role: "group", "aria-label": name });
  const root = made.attachShadow({ mode: "open" });
  kit.paint(root, css);
  root.append(element("p", {}, say("placeholder")), button("once", say("once")), button("always", say("always")));
  const style = getComputedStyle(frame);
  for (const property of BOX) made.style.setProperty(property, style.getPropertyValue(property));
  made.style.width = frame.offsetWidth + "px";
  made.style.height = frame.offsetHeight + "px";
  frame.before(made);
  frame.style.setProperty("display", "none", "important");
  root.addEventListener("click", ({ target }) => {
    const { action } = (target as HTMLElement).dataset;
    if (action == "once") kit.open(frame);
    if (action == "always") kit.always(key);
  });
  // Opened by whatever way, the frame takes its place again.
  new MutationObserver((_, observer) => {
    observer.disconnect();
    made.remove();
    frame.style.removeProperty("display");
  }).observe(frame, { attributeFilter: ["src"] });
}
