import { tag } from "./tag";

/** Reddit documents no consent call: a withdrawal is deletion and a page without the script. */
export default tag(([id], _page, hold) => ({
  src: "https://www.redditstatic.com/ads/pixel.js?pixel_id=" + id,
  queue: hold.caller("rdt", "callQueue", "sendEvent"),
  inits: [["init", id]],
  view: ["track", "PageVisit"],
  converts: /^track,(?!PageVisit)/,
}));
