/**
 * Move the banner to the other edge where it hides what has the focus (WCAG 2.4.11): scroll padding alone does not
 * help in what is fixed or on a small screen. In the lower half of a page there is always something to scroll back.
 */
export function clear(host: HTMLElement, focused: Element): void {
  const page = document.documentElement;
  const { x, y } = focused.getBoundingClientRect();
  if (host.contains(focused) || !host.contains(document.elementFromPoint(x, y))) return;
  page.style.scrollPaddingBottom = "";
  focused.scrollIntoView(!host.toggleAttribute("data-up", scrollY + y > page.scrollHeight / 2));
}
