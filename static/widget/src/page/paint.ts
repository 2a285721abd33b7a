import { guard } from "./guard";

let waiting: (() => void) | undefined;

/** Do at once what waits for the next paint, and what that leaves for later. */
export function flush(): void {
  for (let work; (work = waiting); work()) waiting = undefined;
}

/** Do the work when the page has been painted: a visitor sees an answer first. A page that goes away does it before. */
export function soon(work: () => void): void {
  flush();
  waiting = guard(work);
  requestAnimationFrame(() => setTimeout(flush));
  // No frame comes for a page that nobody looks at.
  setTimeout(flush, 150);
}

addEventListener("pagehide", flush);
