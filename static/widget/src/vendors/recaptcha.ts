import { answer } from "./answer";
import type { Queue } from "./held";
import { tag } from "./tag";

/**
 * The page's markup brings the script, where a form needs it. A form whose call is not sent goes on with an empty token:
 * it is the site's to say what that is worth.
 */
export default tag((_ids, page, hold) => {
  const api = (page.grecaptcha ||= {});
  const execute = (...given: unknown[]) => new Promise((done) => hold.receive(queue, ["execute", ...given, done]));
  // Whatever comes before the script stands here, as its documentation says.
  const onceReady = (work: () => void) =>
    api.execute == execute ? ((page.___grecaptcha_cfg ||= {}).fns ||= []).push(work) : work();
  const queue: Queue = {
    calls: [],
    send([name, ...given]) {
      if (name == "ready") return onceReady(given[0]);
      const done = name == "execute" && given.pop();
      onceReady(() => {
        const result = api[name](...given);
        if (done) result.then(done);
      });
    },
  };
  const stub: Record<string, unknown> = {
    execute,
    ready: (work: unknown) => void hold.receive(queue, ["ready", work]),
    render: (...given: unknown[]) => void hold.receive(queue, ["render", ...given]),
    reset() {},
    getResponse: () => "",
  };
  for (const name of Object.keys(stub)) api[name] ||= stub[name];
  return {
    src: [],
    unsent(call) {
      if (call[0] == "ready") answer(call, 1);
      if (call[0] == "execute") call[call.length - 1]("");
    },
  };
});
