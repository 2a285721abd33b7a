import type { Adapter, Call } from "./adapter";
import { holdCaller, holdQueue, type Queue, type Receive } from "./held";

/** What is particular to one vendor; the rest is the same for every tag. */
interface Tag {
  src: string | string[];
  /** Id of the script element, where the vendor's script looks its own element up. */
  element?: string;
  /** Say what has to be said before all else. */
  open?(): void;
  /** The queue that `inits` and `view` go to. */
  queue?: Queue;
  /** The calls that start it, one an id, and its page view: each in page code's own words where that has said it. */
  inits?: Call[];
  view?: Call;
  /** Which calls are conversions, by their first two words: "track,Purchase". They are counted as sent or kept back. */
  converts?: RegExp;
  /** The vendor's own consent call. `ads` tells whether advertising storage is granted in this notice. */
  consent?(on: boolean, ads: boolean): void;
  /** The script has come, or failed to. */
  come?(): void;
  /** A call is held or, at last, dropped: answer who waits for it. */
  unsent?(call: Call, dropped: boolean): void;
}

/** Takes over what page code calls. */
interface Hold {
  receive: Receive;
  /** Whether the vendor's script runs, or has run. */
  brought(): boolean;
  queue(name: string, flat?: boolean): Queue;
  caller(name: string, key: string, handler?: string): Queue;
}

/** Whether page code says what the widget says, if with more. Objects are details. */
const says = (call: Call, said: Call) =>
  [...said].every((word, at) => typeof word == "object" || word == call[at]);

/**
 * The adapter of a vendor whose tag is a script. Held calls follow a grant in the order in which they were made, and
 * are dropped by a denial; before a grant there is no request.
 */
export const tag = (make: (ids: string[], page: any, hold: Hold) => Tag): Adapter => ({ purposes }, [vendor], load, count) => {
  const held: [Queue, Call][] = [];
  const callers: Queue[] = [];
  let tag: Tag | undefined;
  let passing: boolean | undefined, started: boolean, arrived: boolean, snippet: boolean;

  /** A snippet, left in the page, says again what the widget has said. Later page views of an application are not meant. */
  const repeats = (call: Call): boolean | undefined => {
    const { inits, view } = tag!;
    const init = inits?.find((said) => says(call, said));
    if (init) return (snippet = true) && call.length <= init.length;
    if (snippet && view && says(call, view)) return !(snippet = false);
  };

  const counted = new WeakSet<object>();
  const mark = (call: Call, kind: "sent" | "blocked"): void => {
    if (!tag?.converts?.test([call[0], call[1]] + "") || counted.has(call)) return;
    counted.add(call);
    count("conversions", { [kind]: { [vendor.key]: 1 } });
  };

  /** Starts an account that the site file does not name. */
  const isForeign = (call: Call): boolean | undefined => {
    const { inits } = tag!;
    if (!/string|number/.test(typeof call[1]) || !inits?.some((init) => init[0] == call[0])) return;
    return !inits.some((init) => says(call, init));
  };

  const send = (queue: Queue, call: Call): unknown => {
    if (!isForeign(call)) {
      mark(call, "sent");
      return queue.send(call);
    }
    console.warn(`consent: ${vendor.key} is not called for ${call[1]}. Name this id in the site file.`);
    tag!.unsent?.(call, true);
  };

  const receive: Receive = (queue, call) => {
    if (passing && !repeats(call)) return send(queue, call);
    tag?.unsent?.(call, passing != undefined);
    if (passing == undefined) held.push([queue, call]);
    else if (!passing) mark(call, "blocked");
  };

  // A script without an address is the page's, whenever it runs.
  const brought = () => {
    const { localName, src } = (document.currentScript || {}) as HTMLScriptElement;
    return localName == "script" && !src ? false : arrived || [tag?.src].flat().includes(src);
  };

  tag = make(vendor?.ids || [""], window, {
    receive,
    brought,
    queue: (name, flat) => holdQueue(receive, window, name, flat),
    caller(name, key, handler) {
      const caller = holdCaller(receive, window, name, key, brought, handler);
      callers.push(caller);
      return caller;
    },
  });
  const { src, element, open, queue, inits = [], view, consent, come, unsent } = tag;
  const block = () => held.forEach(([, call]) => mark(call, "blocked"));
  const unsend = (dropped: boolean) => {
    if (dropped) block();
    held.forEach(([, call]) => unsent?.(call, dropped));
  };
  // What waited when the widget came.
  unsend(false);

  // Who leaves undecided has allowed nothing.
  if (tag.converts) addEventListener("pagehide", block);

  const start = (tell: () => void) => {
    started = passing = true;
    const waiting = held.splice(0);
    open?.();
    for (const init of inits) {
      const at = waiting.findIndex(([, call]) => says(call, init));
      queue!.send(at < 0 ? init : waiting.splice(at, 1)[0][1]);
    }
    tell();
    if (view && !waiting.some(([, call]) => says(call, view))) queue!.send(view);
    for (const [queue, call] of waiting) send(queue, call);
    for (const address of [src].flat()) {
      load(address).then(() => {
        arrived = true;
        come?.();
      });
      if (element) for (const script of document.scripts) if (script.src == address) script.id = element;
    }
  };

  return (now, allows, leaving) => {
    if (!now || !vendor) return;
    if (!started) for (const caller of callers) caller.adopt!();
    const on = !!allows(vendor.key);
    const tell = () => consent?.(on, purposes.some(({ key, signals }) => !!signals?.includes("ad_storage") && !!allows(key)));
    if (started) {
      passing = true;
      tell();
      passing = on;
    } else if (on) leaving || start(tell);
    else {
      passing = false;
      unsend(true);
      held.length = 0;
    }
  };
};

export const word = (on: boolean): string => (on ? "granted" : "denied");
