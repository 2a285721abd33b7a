import { holdQueue } from "./held";
import { addMethods, holdStart } from "./methods";
import { tag } from "./tag";

const METHODS =
  "page,track,identify,instances,debug,on,off,once,ready,alias,group,enableCookie,disableCookie,holdConsent,revokeConsent,grantConsent";
const URL = "https://analytics.tiktok.com/i18n/pixel/events.js";

/** Each pixel has a queue of its own beside the one that reaches all of them. */
export default tag((ids, page, hold) => {
  const all = hold.queue("ttq");
  addMethods(all, METHODS);
  const pixels: any = {};
  const times: any = {};
  const options: any = {};
  for (const id of ids) {
    addMethods(holdQueue(hold.receive, pixels, id), METHODS);
    pixels[id]._u = URL;
  }
  page.TiktokAnalyticsObject = "ttq";
  Object.assign(all.calls, { _i: pixels, _t: times, _o: options, instance: (id: string) => pixels[id] || [] });
  return {
    src: ids.map((id) => `${URL}?sdkid=${id}&lib=ttq`),
    queue: holdStart(hold.receive, all, "load", (id, given) => {
      if (!pixels[id]) return;
      times[id] = Date.now();
      options[id] = given || {};
    }),
    inits: ids.map((id) => ["load", id]),
    view: ["page"],
    converts: /^track,/,
    consent: (on) => on || page.ttq.revokeConsent(),
  };
});
