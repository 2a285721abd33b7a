import { tag } from "./tag";

/** X documents no consent call. `config` sends the page view. */
export default tag(([id], page, hold) => {
  const queue = hold.caller("twq", "queue", "exe");
  page.twq.version = "1.1";
  return { src: "https://static.ads-twitter.com/uwt.js", queue, inits: [["config", id]], converts: /^event,/ };
});
