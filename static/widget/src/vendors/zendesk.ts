import { tag } from "./tag";

/** Messaging: `none` hides the widget and clears its storage. The classic widget knows none of it. */
export default tag((key, page) => {
  const queue: unknown[][] = [];
  const stub = (...call: unknown[]) => queue.push(call);
  page.zE ||= stub;
  return {
    queue,
    src: "https://static.zdassets.com/ekr/snippet.js?key=" + key,
    element: "ze-snippet",
    consent: (on) => page.zE("messenger:set", "cookies", on ? "all" : "none"),
    come() {
      if (page.zE != stub) for (const call of queue.splice(0)) page.zE(...call);
    },
  };
});
