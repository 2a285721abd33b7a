import type { Call } from "./adapter";
import { guardProperty } from "./replaced";

/** Where page code leaves its calls to one vendor. */
export interface Queue {
  /** What the vendor's script reads when it comes. */
  calls: any;
  /** Give a call to the vendor, or to `calls` where it has not come. */
  send(call: Call): unknown;
}

/** What becomes of a call: it waits, is dropped, or is sent. */
export type Receive = (queue: Queue, call: Call) => unknown;

/**
 * The array `object[name]`, into which page code pushes its calls; with `flat`, all words of one push are one call.
 * An array that the page assigns later is emptied into it, and whoever kept that one still reaches it.
 */
export function holdQueue(receive: Receive, object: any, name: string, flat?: boolean): Queue {
  const calls: any = [];
  let target = calls;
  const push = (...items: any[]) => {
    for (const call of flat ? [items] : items) receive(queue, call);
    return target.length;
  };
  const queue: Queue = {
    calls,
    send(call) {
      const append = target.push == push ? [].push : target.push;
      return append.apply(target, flat ? call : [call]);
    },
  };
  calls.push = push;
  guardProperty(object, name, (value) => {
    if (Array.isArray(value) && value.push == [].push) {
      const early = value.splice(0);
      value.push = push;
      if (early[0]) push(...early);
    } else if (value) target = value;
    return target;
  });
  return queue;
}

/**
 * The function `page[name]`, which leaves its calls in a queue under `key`, or gives them to its own method `handler`
 * once the vendor has set one. Of a stand-in that the page assigns only what waits in it is taken; a function is the
 * vendor's where `brought` says that its script is there.
 */
export function holdCaller(
  receive: Receive,
  page: any,
  name: string,
  key: string,
  brought: () => boolean,
  handler = "",
): Queue {
  let vendors: any, shown: any;
  const gate: any = (...call: unknown[]) => receive(queue, call);
  const { calls, send } = holdQueue((_, call) => receive(queue, call), gate, key);
  const queue: Queue = {
    calls,
    send: (call) => (vendors ? vendors.apply(page, call) : gate[handler] ? gate[handler].apply(gate, call) : send(call)),
  };
  guardProperty(page, name, (value) => {
    if (typeof value == "function")
      if (Array.isArray(value[key]) || !brought()) Object.assign(gate, value);
      else {
        vendors = value;
        shown = new Proxy(value, { apply: (_target, _self, call) => receive(queue, call) });
      }
    return shown || gate;
  });
  return queue;
}

/** Methods that leave their name and what they are given in the queue. */
export function addMethods({ calls }: Queue, names: string): void {
  for (const name of names.split(",")) calls[name] = (...given: unknown[]) => calls.push([name, ...given]);
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

/** The last of what a call is given, where page code waits to be called back by it. */
export const answerLast = (call: any, ...given: unknown[]): void => answer(call, call.length - 1, ...given);

/** A member of the options that a call is given. The page may use them again, so they are copied. */
export function answerOption(call: any, at: number, key: string, ...given: unknown[]): void {
  if (!call[at]?.[key]) return;
  call[at] = { ...call[at] };
  answer(call[at], key, ...given);
}

/** Calls what page code hands over to be called back, once: the vendor's own answer then changes nothing. */
export function answer(holder: any, key: PropertyKey, ...given: unknown[]): void {
  const waiting = holder?.[key];
  if (typeof waiting != "function") return;
  holder[key] = () => {};
  setTimeout(waiting, 0, ...given);
}
