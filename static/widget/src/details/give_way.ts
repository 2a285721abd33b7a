import type { Kit } from "../layers/later";
import { button } from "../page/element";
import { giveIcon } from "../page/opt_out_icon";
import { everywhere } from "./roots";

/** In pixels: what is smaller is there for machines. */
const SMALL = 4;

const clipped = new WeakMap<Element, boolean>();
let due: number | undefined;

/**
 * Have the banner wait while the page has made it inert, by a modal dialog or for all but a part of the page: what is
 * seen and cannot be used is worse than what comes a moment later. In front of its own dialog nothing is inert.
 */
function waitWhileInert(host: HTMLElement): void {
  host.hidden = !host.shadowRoot!.querySelector("[open]")
    && (!!host.closest("[inert],[aria-hidden=true]") || everywhere("dialog").some((dialog) => dialog.matches(":modal")));
  host.togglePopover?.(host.role == "dialog" && !host.hidden);
}

/** Whether a visitor who looks for it finds it: far below counts as well. */
function isSeen(link: HTMLElement): boolean {
  const { width, height, left, right } = link.getBoundingClientRect();
  return (link.checkVisibility?.({ checkVisibilityCSS: true, checkOpacity: true }) ?? true)
    && !clipped.get(link) && width * height > SMALL && right > 0 && left < innerWidth && !link.closest("[inert]");
}

/** Leave one way back that can be seen: the site's own, else the widget's. */
function leaveOne(kit: Kit, host: HTMLElement, sight: IntersectionObserver): void {
  if (host.dataset.view != "rest") return;
  const ways = everywhere("[data-consent-open]").filter((link) => !host.contains(link));
  const { reopen } = kit.config.texts;
  for (const link of ways) sight.observe(link);
  const hasOwn = ways.some(isSeen);
  let own = host.querySelector<HTMLElement>("[data-action=reopen]");
  if (!own && !hasOwn) host.prepend(own = button("reopen", reopen, { class: "q", "data-consent-open": "" }));
  if (own) own.hidden = hasOwn;
  if (RULES) giveIcon(own);
}

/** What gives the page its way, again whenever it has changed. */
export function makeWay(kit: Kit): () => void {
  const host = () => document.querySelector<HTMLElement>("consent-widget");
  // Once for many changes, since it lays the page out.
  const arrange = () => (due ??= setTimeout(kit.guard(() => {
    due = undefined;
    if (host()) leaveOne(kit, host()!, sight);
  }), 50));
  // What an element around it cuts off, a menu that is shut; and what goes without a change of the document.
  const sight = new IntersectionObserver((entries) => {
    for (const { target, intersectionRatio } of entries) clipped.set(target, !intersectionRatio);
    arrange();
  }, { rootMargin: "99999px" });
  return () => {
    if (host()) waitWhileInert(host()!);
    arrange();
  };
}
