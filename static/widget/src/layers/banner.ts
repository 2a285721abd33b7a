import { button, element, paint } from "../page/element";
import { giveIcon } from "../page/opt_out_icon";
import { config, isHonored, sheet } from "../state/current";

export let host: HTMLElement;
let root: ShadowRoot;
let sight: ResizeObserver;
let status: HTMLElement;
let act: (action: string) => void;
let listen: () => void;

const isBanner = () => host.role == "dialog";

/** Whether it can be seen, too: a content blocker may hide it. */
export const isOpen = (): boolean => !!host?.offsetHeight && isBanner();

/** Text and buttons are light children, each a slotted child of its own; the shadow root only lays them out. */
export function mount(acting: (action: string) => void, seen: () => void, hear: () => void): void {
  if (host) return;
  host = element("consent-widget", { popover: "manual" });
  root = host.attachShadow({ mode: "open" });
  paint(root, sheet + config.css);
  root.append(element("slot", {}), element("slot", { name: "a", class: "a" }));
  // A live region is read out only when it stood there before its text.
  host.append((status = element("p", { role: "status" })));
  act = acting;
  listen = hear;
  // Called after the browser laid out the page and before it paints: asked sooner, it would lay out twice.
  sight = new ResizeObserver(() => {
    if (!isOpen()) return;
    fit();
    seen();
  });
}

/** "More" where a text has more lines than are shown, and the answers one below the other where one would break. */
function fit(): void {
  const text = host.querySelector("p")!, more = text.nextSibling as HTMLElement;
  const customise = status.previousSibling as HTMLElement, accept = customise.previousSibling as HTMLElement;
  host.dataset.cut = "";
  more.hidden = !host.toggleAttribute("data-cut", text.scrollHeight > text.clientHeight);
  delete host.dataset.tall;
  host.toggleAttribute("data-tall", accept.offsetHeight > customise.offsetHeight);
}

/** A link of the site's that leads back, whether it can be seen or not. */
export const WAY_BACK = ":not(consent-widget)>[data-consent-open]";

/** How often it is put back. */
let lives = 600;

/**
 * Put it into the page, and let it be seen or not; again whenever the page has changed: frameworks that turn pages in
 * place put another body there, or a copy of one.
 */
export function attach(): void {
  if (!host || !document.body) return;
  for (const copy of document.querySelectorAll("consent-widget")) if (copy != host) copy.remove();
  // A content blocker takes it out again and again.
  if (!host.isConnected && lives-- > 0) {
    // Last, where a framework that takes over the page it has rendered on its server expects nothing.
    document.body.append(host);
    host.onclick = ({ target }) => act((target as HTMLElement).dataset.action!);
    // Esc elsewhere is meant for what the page shows there.
    host.onkeydown = ({ key }) => void (key == "Escape" && isBanner() && act("close"));
    listen();
  }
  // Above every z-index, in the top layer; a content blocker may have taken it out already.
  if (host.isConnected) host.togglePopover?.(isBanner() && !host.hidden);
}

/** The keyboard meets the banner before the page. */
export function front(): void {
  if (!isOpen() || document.activeElement != document.body || root.children[2] || !host.previousElementSibling) return;
  document.body.prepend(host);
  attach();
}

function fill(view: string, label: string, ...children: Node[]): void {
  // First: to take out what has the focus, a browser styles what has changed before.
  host.replaceChildren(...children, status);
  host.dataset.view = view;
  delete host.dataset.up;
  host.lang = config.language;
  host.dir = config.direction || "ltr";
  host.setAttribute("role", view == "rest" ? "region" : "dialog");
  host.setAttribute("aria-label", label);
  attach();
}

export function showBanner(): void {
  const { texts, shown, layout } = config;
  fill(layout, texts.title,
    ...shown.map((line) => element(...line)),
    button("refuse", texts.refuse),
    button("accept", texts.accept),
    button("customise", texts.customise, { class: "q" }));
  // Before it is seen: what moves later counts as a shift of the page.
  fit();
  // Of its width alone, since its height is none: what is told of changes as the banner is fitted would be told anew.
  sight.observe(status);
}

/**
 * The banner gone, and a way back left. Where the page may have its own, and behind an answer, whose paint is not to wait
 * for it, a later script sees to that.
 */
export function showReopen(): void {
  const text = config.texts.reopen;
  // What stands there already may have the focus.
  if (host.dataset.view != "rest")
    fill("rest", text, ...(host.dataset.view || document.querySelector(WAY_BACK) ? [] : [button("reopen", text, { class: "q", "data-consent-open": "" })]));
  if (RULES) {
    giveIcon(host.querySelector("[data-action=reopen]"));
    showHonored();
  }
}

/** Say that the browser's signal was taken for an objection, as long as that is so (11 CCR 7025(c)(6)). */
function showHonored(): void {
  host.querySelector("[data-honored]")?.remove();
  if (isHonored()) host.append(element("p", { "data-honored": "" }, config.texts.honored));
}

/** Announce a text to who listens; with a look also to who sees. */
export function say(text: string, look = ""): void {
  if (!status) return;
  status.className = look;
  status.textContent = text;
}
