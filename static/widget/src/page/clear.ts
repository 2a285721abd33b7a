let room: CSSStyleSheet;
let watched: ResizeObserver | undefined;

/**
 * Give room for what the bar covers: above it where something gets the focus, and at the end of a page that can be
 * scrolled. By a sheet, which writes over no style of the page's and moves nothing in it.
 */
function giveRoom(host: HTMLElement): void {
  room ??= new CSSStyleSheet();
  if (!document.adoptedStyleSheets.includes(room)) document.adoptedStyleSheets = [...document.adoptedStyleSheets, room];
  watched ??= new ResizeObserver(() => {
    const page = document.documentElement;
    const height = host.role == "dialog" && !host.dataset.up ? host.offsetHeight : 0;
    const isLong = page.scrollHeight > page.clientHeight && getComputedStyle(page).display == "block";
    const end = `:root::after{content:"";display:block;height:${height}px}`;
    room.replaceSync(height ? `:root{scroll-padding-bottom:${height}px!important}${isLong ? end : ""}` : "");
  });
  watched.observe(host);
}

/**
 * Move the banner to the other edge where it hides what has the focus (WCAG 2.4.11): scroll padding alone does not
 * help in what is fixed or on a small screen. In the lower half of a page there is always something to scroll back.
 */
export function clear(host: HTMLElement, focused?: Element): void {
  const page = document.documentElement;
  giveRoom(host);
  if (!focused) return;
  const { x, y } = focused.getBoundingClientRect();
  if (host.contains(focused) || !host.contains(document.elementFromPoint(x, y))) return;
  room.replaceSync("");
  focused.scrollIntoView(!host.toggleAttribute("data-up", scrollY + y > page.scrollHeight / 2));
}
