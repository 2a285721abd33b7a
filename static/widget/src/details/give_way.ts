import { everywhere } from "./roots";

/**
 * Have the banner wait while the page has made it inert, by a modal dialog or for all but a part of the page: what is
 * seen and cannot be used is worse than what comes a moment later. In front of its own dialog nothing is inert. The way
 * back gives way to one that the page has in an open shadow root.
 */
export function giveWay(): void {
  const host = document.querySelector<HTMLElement>("consent-widget");
  if (!host) return;
  host.hidden = !host.shadowRoot!.querySelector("[open]")
    && !!(host.closest("[inert],[aria-hidden=true]") || document.querySelector("dialog:modal"));
  host.togglePopover?.(host.role == "dialog" && !host.hidden);
  const own = host.querySelector<HTMLElement>("[data-action=reopen]");
  if (own) own.hidden = everywhere("[data-consent-open]").some((link) => link.getRootNode() != document && link.offsetHeight);
}
