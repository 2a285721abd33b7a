import type { Kit } from "../layers/later";
import { button, element, paint } from "../page/element";
import { accompany, hide, openOnce, reveal } from "./gate";
import css from "./placeholder.css";

/** Where a box stands among its neighbours, and how much room it takes there. */
const PLACE = "position,top,right,bottom,left,z-index,float,clear,order,flex,grid-area,align-self,justify-self,vertical-align"
  .split(",").concat(["top", "right", "bottom", "left"].map((side) => "margin-" + side));

/** In pixels. What is smaller is not for people to look at, or has no room yet: it gets no stand-in. */
const VISIBLE = 20;

/** A size with its fraction, which a ratio leaves; in whole pixels where something that is turned or scaled shows another. */
const exact = (whole: number, drawn: number): string => (Math.abs(drawn - whole) < 1 ? drawn : whole) + "px";

/** The site's own picture of what waits; one from elsewhere would be the request that is not allowed yet. */
function poster(src: string | undefined, warn: Kit["warn"]): string | null {
  if (!src) return null;
  const url = Object.assign(document.createElement("a"), { href: src });
  if (url.origin == location.origin) return url.href;
  warn("data-poster is not on this site: " + src);
  return null;
}

/** A stand-in of the same box as gated markup, so that the page does not move. */
export function cover(kit: Kit, texts: Record<string, string>, name: string, frame: HTMLElement, key: string): void {
  const { config } = kit;
  const kind = config.purposes.some((purpose) => purpose.key == key) ? "_purpose" : "";
  const say = (text: string) => texts[text + kind].replace(/{\w+}/, () => name);
  const made = element("consent-placeholder", { lang: config.language, dir: config.direction || "ltr", role: "group", "aria-label": name });
  const root = made.attachShadow({ mode: "open" });
  const picture = poster(frame.dataset.poster, kit.warn);
  const set = (property: string, value: string) => made.style.setProperty(property, value, "important");
  paint(root, css + config.css);
  root.append(element("div", { class: "b" },
    ...(picture ? [element("img", { src: picture, alt: "" })] : []),
    element("div", { class: "c" },
      element("b", {}, name),
      element("p", {}, say("placeholder")),
      element("div", { class: "a" }, button("once", texts.once), button("always", say("always"))))));

  /** Take the room that the frame would take now. It is measured and hidden again before anything is painted. */
  const fit = () => {
    made.style.display = "none";
    reveal(frame);
    const style = getComputedStyle(frame);
    const { display } = style;
    const { offsetWidth: wide, offsetHeight: high } = frame;
    // A stand-in would take more room than this does.
    if (wide < VISIBLE || (high < VISIBLE && frame.localName != "div")) return;
    const { width, height } = frame.getBoundingClientRect();
    for (const property of PLACE) set(property, style.getPropertyValue(property));
    set("width", exact(wide, width));
    // A box without a height of its own gets what the words need; then the page moves when it is opened.
    set("height", high < VISIBLE ? "auto" : exact(high, height));
    hide(frame);
    set("display", display == "inline" ? "inline-block" : display);
  };
  // A copy of one that was hidden is hidden already.
  if (frame.dataset.consentHeld == null) hide(frame);
  frame.before(made);
  accompany(frame, [made]);
  fit();
  // In the next frame: to change sizes while they are being told is an error that pages would hear of.
  const room = new ResizeObserver(() => requestAnimationFrame(() => (made.isConnected ? fit() : room.disconnect())));
  room.observe(made.parentElement || (made.getRootNode() as ShadowRoot).host);

  // The page itself hides or shows the frame: what it says holds for the stand-in, and for the frame later.
  new MutationObserver(() => {
    if (!made.isConnected || frame.style.getPropertyPriority("display") == "important") return;
    delete frame.dataset.consentHeld;
    hide(frame);
    fit();
  }).observe(frame, { attributeFilter: ["style"] });

  root.addEventListener("click", ({ target }) => {
    const { action } = (target as HTMLElement).dataset;
    if (action == "always") kit.later("always", key);
    if (action == "once") openOnce(frame);
  });
}
