import { addMethods } from "./methods";
import { tag } from "./tag";

/** Drift has no consent call: the nearest is to forget the visitor and to go out of sight. */
export default tag(([id], page, hold) => {
  page.drift = page.driftt || page.drift;
  const queue = hold.queue("drift");
  addMethods(queue, "identify,config,track,reset,debug,show,ping,page,hide,off,on");
  page.driftt = page.drift;
  // The vendor's snippet, left in the page, then loads nothing by itself.
  Object.assign(queue.calls, { init: true, load() {} });
  const now = Math.ceil(Date.now() / 3e5) * 3e5;
  return {
    src: `https://js.driftt.com/include/${now}/${id}.js`,
    consent(on) {
      if (on) return;
      page.drift.reset();
      page.drift.hide();
    },
  };
});
