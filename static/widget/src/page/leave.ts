/** Load the address anew, by GET: a reload would send a form again. */
export function leave(): void {
  const { href, hash } = location;
  // Else the browser would only scroll.
  if (hash) history.replaceState(history.state, "", "?_");
  location.replace(href);
}
