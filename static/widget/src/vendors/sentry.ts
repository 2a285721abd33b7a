import type { Queue } from "./held";
import { tag } from "./tag";

/** Errors before a grant are not sent: the stand-in forgets them, and only what waits for the SDK is kept. */
export default tag(([id], page, hold) => {
  const calls: any[] = [];
  const queue: Queue = { calls, send: ([work]) => calls.push(work) };
  const stub: Record<string, unknown> = (page.Sentry ||= { onLoad: (work: unknown) => hold.receive(queue, [work]) });
  for (const name of "init,addBreadcrumb,captureMessage,captureException,captureEvent,configureScope,withScope,showReportDialog".split(","))
    stub[name] ||= () => {};
  return {
    src: `https://js.sentry-cdn.com/${id}.min.js`,
    consent: (on) => on || page.Sentry.close?.(),
    come() {
      for (const work of calls.splice(0)) page.Sentry.onLoad(work);
    },
  };
});
