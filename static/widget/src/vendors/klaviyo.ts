import { answerLast } from "./answer";
import { guardProperty } from "./replaced";
import { tag } from "./tag";

/** Klaviyo has no consent call. Any name is a method, which takes a callback last and returns a promise of its answer. */
export default tag(([id], page, hold) => {
  hold.queue("_learnq");
  const { calls } = hold.queue("_klOnsite");
  const push = (...items: unknown[]) => page._klOnsite.push(...items);
  const method =
    (name: string) =>
    (...given: any[]) =>
      new Promise((done) => {
        const then = typeof given[given.length - 1] == "function" ? given.pop() : () => {};
        push([
          name,
          ...given,
          (answer: unknown) => {
            then(answer);
            done(answer);
          },
        ]);
      });
  const stub = new Proxy(
    { push },
    { get: (own, name) => (name == "push" ? own.push : typeof name == "string" && name != "then" ? method(name) : undefined) },
  );
  guardProperty(page, "klaviyo", (value) => {
    if (!Array.isArray(value)) return value || stub;
    push(...value.splice(0));
    value.push = calls.push;
    return stub;
  });
  return { src: "https://static.klaviyo.com/onsite/js/klaviyo.js?company_id=" + id, unsent: (call) => answerLast(call) };
});
