import { holdQueue } from "./held";
import type { Queue, Receive } from "./held";

/** Methods that leave their name and what they are given in the queue, and answer nothing: no flag is on. */
export function addMethods({ calls }: Queue, names: string): void {
  for (const name of names.split(","))
    calls[name] = (...given: unknown[]) => {
      calls.push([name, ...given]);
    };
}

/**
 * `queue`, but for the call `name`, which the vendor's snippet makes at its end: it does `begin`, and is never left for
 * the vendor. A snippet that stays in the page cannot put its own in the place of it.
 */
export function holdStart(receive: Receive, queue: Queue, name: string, begin: (...given: any[]) => void): Queue {
  const start: Queue = {
    calls: queue.calls,
    send: (call) => (call[0] == name ? begin(...[...call].slice(1)) : queue.send(call)),
  };
  Object.defineProperty(queue.calls, name, {
    get: () => (...given: unknown[]) => receive(start, [name, ...given]),
    set() {},
  });
  return start;
}

/**
 * The array `page[name]` of a library with instances, whose snippet keeps what `init` was given in `_i`, and one more
 * array of calls under `people`.
 */
export function holdInstances(receive: Receive, page: any, name: string, names: string, people: string): Queue {
  const queue = holdQueue(receive, page, name);
  const { calls } = queue;
  const inits: any[] = [];
  const persons = holdQueue(receive, calls, "people");
  addMethods(queue, names);
  addMethods(persons, people);
  // By `__SV` its snippet, left in the page, sees that it has nothing to load.
  Object.assign(calls, { _i: inits, __SV: 1.2 });
  return holdStart(receive, queue, "init", (token, options) => inits.push([token, options, name]));
}
