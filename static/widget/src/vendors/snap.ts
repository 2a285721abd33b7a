import { tag } from "./tag";

/** Snap documents no consent call: a withdrawal is deletion and a page without the script. */
export default tag(([id], _page, hold) => ({
  src: "https://sc-static.net/scevent.min.js",
  queue: hold.caller("snaptr", "queue", "handleRequest"),
  inits: [["init", id]],
  view: ["track", "PAGE_VIEW"],
  converts: /^track,(?!PAGE_VIEW)/,
}));
