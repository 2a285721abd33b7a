import { answerLast } from "./answer";
import { tag } from "./tag";

const METHODS = "identify,track,trackViewedItem,account,cookieDomain,isIdentified,cacheEvent,openForm,getGroupMembership";

/** Klaviyo has no consent call. Its methods take a callback last, and return a promise of the same. */
export default tag(([id], _page, hold) => {
  hold.queue("_learnq");
  const { calls } = hold.queue("klaviyo");
  for (const name of METHODS.split(","))
    calls[name] = (...given: any[]) =>
      new Promise((done) => {
        const then = typeof given[given.length - 1] == "function" && given.pop();
        calls.push([
          name,
          ...given,
          (answer: unknown) => {
            if (then) then(answer);
            done(answer);
          },
        ]);
      });
  return { src: "https://static.klaviyo.com/onsite/js/klaviyo.js?company_id=" + id, unsent: (call) => answerLast(call) };
});
