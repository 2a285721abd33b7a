import { answerLast } from "./answer";
import { addMethods, holdStart } from "./methods";
import { tag } from "./tag";

const METHODS =
  "trackSubmit,trackClick,trackLink,trackForm,pageview,identify,reset,group,track,ready,alias,debug,page,screen,once,off,on,addSourceMiddleware,addIntegrationMiddleware,setAnonymousId,addDestinationMiddleware,register";

export default tag(([key], page, hold) => {
  const queue = hold.queue("analytics");
  addMethods(queue, METHODS);
  // By `initialize` its snippet, left in the page, sees that it has nothing to do.
  Object.assign(queue.calls, { initialize: true, _writeKey: key });
  return {
    src: `https://cdn.segment.com/analytics.js/v1/${key}/analytics.min.js`,
    queue: holdStart(hold.receive, queue, "load", (_key, options) => (queue.calls._loadOptions = options)),
    inits: [["load", key]],
    view: ["page"],
    // It has no other word for it: a withdrawal forgets the visitor.
    consent: (on) => on || page.analytics.reset(),
    unsent: (call) => /^(track|page|identify|group|alias|screen)$/.test(call[0]) && answerLast(call),
  };
});
