import { button, element, paint } from "../page/element";
import { config, gpc, sheet } from "../state/current";

export let host: HTMLElement;
export let root: ShadowRoot;
let status: HTMLElement;

export const page = document.documentElement;

/** Whether it can be seen, too: a content blocker may hide it. */
export const isOpen = (): boolean => !!host?.offsetHeight && host.dataset.view != "rest";

/** Text and buttons are light children, each a slotted child of its own; the shadow root only lays them out. */
export function mount(act: (action: string) => void, seen: () => void): void {
  if (host) return;
  host = element("consent-widget", { popover: "manual" });
  root = host.attachShadow({ mode: "open" });
  paint(root, sheet + config.css);
  root.append(element("slot", {}), element("slot", { name: "a", class: "a" }));
  // A live region is read out only when it stood there before its text.
  host.append((status = element("p", { role: "status" })));
  host.onclick = ({ target }) => act((target as HTMLElement).dataset.action!);
  // Called after the browser laid out the page and before it paints: asked sooner, it would lay out twice.
  new ResizeObserver(() => {
    // What has the focus stays clear of the bar (WCAG 2.4.11): also at the page's end, which gets the room to scroll.
    page.style.scrollPaddingBottom = page.style.paddingBottom = isOpen() ? host.offsetHeight + "px" : "";
    if (isOpen()) seen();
  }).observe(host);
}

/** Put it into the body; again when the page has put another body there, as frameworks that turn pages in place do. */
export function attach(): void {
  if (!host) return;
  if (!host.isConnected) document.body.prepend(host);
  // Above every z-index, in the top layer; a content blocker may have taken it out already.
  if (host.isConnected) host.togglePopover?.(host.dataset.view != "rest");
}

function fill(view: string, label: string, ...children: Node[]): void {
  host.dataset.view = view;
  delete host.dataset.up;
  host.lang = config.language;
  host.dir = config.direction || "ltr";
  host.setAttribute("role", view == "rest" ? "region" : "dialog");
  host.setAttribute("aria-label", label);
  while (status.previousSibling) status.previousSibling.remove();
  status.before(...children);
  attach();
}

export function showBanner(): void {
  const { texts, shown, layout } = config;
  fill(layout, texts.title,
    ...shown.map((line) => element(...line)),
    ...(gpc() ? [element("p", {}, texts.gpc)] : []),
    button("refuse", texts.refuse),
    button("accept", texts.accept),
    button("customise", texts.customise, { class: "q" }),
    button("close", "×", { class: "q", "aria-label": texts.close }));
}

/** The banner gone, and a way back left, unless the page has its own. */
export function showReopen(): void {
  const { reopen } = config.texts;
  // What stands there already may have the focus.
  if (host.dataset.view == "rest") return;
  fill("rest", reopen);
  if (!document.querySelector("[data-consent-open]"))
    status.before(button("reopen", reopen, { class: "q", "data-consent-open": "" }));
}

/** Announce a text to who listens; with a look also to who sees. */
export function say(text: string, look = ""): void {
  status.className = look;
  status.textContent = text;
}
