import { guard } from "./guard";

let waiting: (() => void) | undefined;

/** Do at once what waits for the next paint. */
export function flush(): void {
  const work = waiting;
  waiting = undefined;
  work?.();
}

/** Do the work when the page has been painted: a visitor sees an answer first. A page that goes away does it before. */
export function soon(work: () => void): void {
  waiting = guard(work);
  requestAnimationFrame(() => setTimeout(flush));
  // No frame comes for a page that nobody looks at.
  setTimeout(flush, 150);
}

addEventListener("pagehide", flush);
