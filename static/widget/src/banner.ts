import { gpc } from "./decide";
import { config } from "./current";
import { button, element, paint } from "./element";
import css from "./styles.css";

export let host: HTMLElement;
export let root: ShadowRoot;
let status: HTMLElement;

const page = document.documentElement;

const colours = ({ accent, on_accent, accent_dark, on_accent_dark } = config.colours) =>
  `:host{--a:${accent};--o:${on_accent}}@media(prefers-color-scheme:dark){:host{--a:${accent_dark};--o:${on_accent_dark}}}`;

/** Text and buttons are light children, each a slotted child of its own; the shadow root only lays them out. */
export function mount(act: (action: string) => void, near: () => void): void {
  host = element("consent-widget", { popover: "manual" });
  root = host.attachShadow({ mode: "open" });
  paint(root, css + colours());
  root.append(
    element("div", { class: "w" },
      element("div", {}, element("slot", {})),
      element("div", { class: "a" }, element("slot", { name: "a" }))),
  );
  // A live region is read out only when it stood there before its text.
  host.append((status = element("p", { role: "status" })));
  host.addEventListener("click", ({ target }) => act((target as HTMLElement).dataset.action!));
  for (const event of ["pointerover", "focusin"])
    host.addEventListener(event, ({ target }) => (target as HTMLElement).dataset.action == "customise" && near());
  new ResizeObserver(makeRoom).observe(host);
  document.body.prepend(host);
}

/** Keep what has the focus clear of the bar (WCAG 2.4.11). */
function makeRoom(): void {
  page.style.scrollPaddingBottom = isOpen() ? host.offsetHeight + "px" : "";
}

export const isOpen = (): boolean => !!host && host.dataset.view != "rest";

function fill(view: string, label: string | null, ...children: (Node | string)[]): void {
  host.dataset.view = view;
  host.lang = config.language;
  host.dir = config.direction;
  for (const [name, value] of [["role", label && "dialog"], ["aria-label", label]])
    value ? host.setAttribute(name!, value) : host.removeAttribute(name!);
  // The live region itself must not leave the page: a new one would stay silent.
  while (status.previousSibling) status.previousSibling.remove();
  status.before(...children);
}

const link = (href: string | undefined, text: string) =>
  href ? [element("a", { href, target: "_blank", rel: "noopener" }, text)] : [];

export function showBanner(): void {
  const { texts, policy } = config;
  const choose = (action: string) => button(action, texts[action], { slot: "a" });
  fill(config.layout, texts.title,
    element("h2", {}, texts.title),
    element("p", {}, texts.intro),
    ...(gpc() ? [element("p", {}, texts.gpc)] : []),
    ...link(policy.privacy, texts.privacy),
    ...link(policy.cookies, texts.cookies),
    choose("refuse"), choose("accept"), choose("customise"),
    button("close", "×", { slot: "a", "aria-label": texts.close }));
  // The top layer is above every z-index.
  host.showPopover?.();
}

/** The banner gone, and a way back left, unless the page has its own. */
export function rest(): void {
  const own = document.querySelector("[data-consent-open]:not(consent-widget *)");
  fill("rest", null, ...(own ? [] : [button("reopen", config.texts.reopen, { "data-consent-open": "", slot: "a" })]));
  host.hidePopover?.();
}

export function say(text: string): void {
  status.textContent = text;
}
