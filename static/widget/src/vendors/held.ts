import type { Call } from "./adapter";
import { guardProperty } from "./replaced";

/** Where page code leaves its calls to one vendor. */
export interface Queue {
  /** What the vendor's script reads when it comes. */
  calls: any;
  /** Give a call to the vendor, or to `calls` where it has not come. */
  send(call: Call): unknown;
  /** Take over what has come in the queue's place without its knowing: a function that the page declares. */
  adopt?(): void;
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
  const push = function (this: unknown, ...items: any[]) {
    // The vendor's script has wrapped it, and calls what it wrapped.
    if (this == calls && calls.push != push) return [].push.apply(calls, items as never[]);
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
  let vendors: any, shown: any, inside: boolean;
  // The vendor's function may call the one that it found.
  const gate: any = (...call: unknown[]) => (inside ? send(call) : receive(queue, call));
  const { calls, send } = holdQueue((_, call) => receive(queue, call), gate, key);
  const queue: Queue = {
    calls,
    send(call) {
      if (!vendors) return gate[handler] ? gate[handler].apply(gate, call) : send(call);
      inside = true;
      try {
        return vendors.apply(page, call);
      } finally {
        inside = false;
      }
    },
    adopt() {
      const value = page[name];
      if (typeof value == "function" && value != gate && value != shown) take(value);
    },
  };
  const take = (value: any) => {
    Object.assign(gate, value);
    value[key] = calls;
  };
  guardProperty(page, name, (value) => {
    if (typeof value == "function")
      if (Array.isArray(value[key]) || !brought()) take(value);
      else {
        vendors = value;
        shown = new Proxy(value, { apply: (_target, _self, call) => receive(queue, call) });
      }
    return shown || gate;
  });
  return queue;
}
