import { answer } from "./answer";
import { tag } from "./tag";

export default tag(([id], page, hold) => {
  const queue = hold.caller("pintrk", "queue");
  page.pintrk.version = "3.0";
  return {
    src: "https://s.pinimg.com/ct/core.js",
    queue,
    inits: [["load", id]],
    view: ["page"],
    converts: /^track,(?!pagevisit)/i,
    consent: (on) => page.pintrk("setconsent", on),
    // Whether the tag was there, and what went wrong.
    unsent: (call) => answer(call, 3, false),
  };
});
