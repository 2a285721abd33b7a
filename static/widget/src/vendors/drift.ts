import { tag } from "./tag";

/** Drift has no consent call: the nearest is to forget the visitor and to go out of sight. */
export default tag((id, page) => {
  const drift = (page.drift = page.driftt = page.driftt || page.drift || []);
  for (const method of "identify,config,track,reset,debug,show,ping,page,hide,off,on".split(","))
    drift[method] ||= (...given: unknown[]) => drift.push([method, ...given]);
  // The vendor's snippet, left in the page, then loads nothing by itself.
  drift.invoked = true;
  drift.load ||= () => {};
  const now = Math.ceil(Date.now() / 3e5) * 3e5;
  return {
    queue: drift,
    src: `https://js.driftt.com/include/${now}/${id}.js`,
    consent(on) {
      if (on) return;
      page.drift.reset();
      page.drift.hide();
    },
  };
});
