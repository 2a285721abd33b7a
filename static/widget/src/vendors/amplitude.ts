import type { Queue } from "./held";
import { guardProperty } from "./replaced";
import { tag } from "./tag";

const METHODS =
  "add,remove,init,track,logEvent,identify,groupIdentify,setGroup,revenue,flush,setUserId,setSessionId,setDeviceId,setOptOut,setTransport,extendSession,reset";

/** A call's result is a promise; who waits for one that is not sent is told that there was no answer. */
export default tag(([id], page, hold) => {
  const [, region, key] = /^(?:(\w+)-)?(.*)/.exec(id)!;
  const calls: any[] = [];
  const nothing = () => {};
  const stub: any = { invoked: true, _q: calls, _iq: {}, getDeviceId: nothing, getSessionId: nothing, getUserId: nothing };
  let library: any;
  const queue: Queue = {
    calls: stub,
    send([name, ...given]) {
      const done = given.pop();
      if (!library) return calls.push([name, ...given, done]);
      const result = library[name]?.(...given);
      Promise.resolve(result?.promise).then(done);
    },
  };
  for (const name of METHODS.split(","))
    stub[name] = (...given: unknown[]) => ({ promise: new Promise((done) => hold.receive(queue, [name, ...given, done])) });
  guardProperty(page, "amplitude", (value) => {
    if (value?.init && hold.brought()) library = value;
    // What waits in the stand-in of its snippet.
    for (const { name, args, resolve } of value?._q?.splice(0) || []) stub[name]?.(...args).promise.then(resolve);
    return library || stub;
  });
  return {
    src: `https://cdn.${region ? region + "." : ""}amplitude.com/script/${key}.js`,
    queue,
    inits: [["init", key, { serverZone: region ? "EU" : "US" }, nothing]],
    consent(on) {
      page.amplitude.setOptOut(!on);
      if (!on) page.amplitude.reset();
    },
    come: () => calls.splice(0).forEach(queue.send),
    unsent: (call) => call[call.length - 1]?.({ code: 0, message: "not sent" }),
  };
});
