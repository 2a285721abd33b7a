import { tag } from "./tag";

/** Messaging: `none` hides the widget and clears its storage. The classic widget knows none of it. */
export default tag(([key], page, hold) => {
  const { calls, send } = hold.caller("zE", "q");
  return {
    src: "https://static.zdassets.com/ekr/snippet.js?key=" + key,
    element: "ze-snippet",
    consent: (on) => page.zE("messenger:set", "cookies", on ? "all" : "none"),
    come: () => calls.splice(0).forEach(send),
  };
});
