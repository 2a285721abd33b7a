import { tag } from "./tag";

/** Errors before a grant are not sent: the stand-in forgets them, and only what waits for the SDK is kept. */
export default tag((id, page) => {
  const queue: unknown[] = [];
  const stub: Record<string, unknown> = (page.Sentry ||= { onLoad: (work: unknown) => queue.push(work) });
  for (const name of "init,addBreadcrumb,captureMessage,captureException,captureEvent,configureScope,withScope,showReportDialog".split(","))
    stub[name] ||= () => {};
  return {
    queue,
    src: `https://js.sentry-cdn.com/${id}.min.js`,
    consent: (on) => on || page.Sentry.close?.(),
    come() {
      for (const work of queue.splice(0)) page.Sentry.onLoad(work);
    },
  };
});
