import type { Adapter, Ask, Call } from "./adapter";

/** What may pass of one fbq() call: consent is the widget's own, and pixels that are not granted get nothing. */
export const passes = (call: Call, open: Ask): boolean =>
  call[0] != "consent" && (!/^(init|trackSingle)/.test(call[0]) || !!open(call[1]));

const named = (call: Call): string => call[0] + call[1];

const meta: Adapter = (_notice, vendors, load, count, warn, guardProperty) => {
  const page = window as any;
  const ids: Record<string, unknown> = {};
  /** The address from which the widget itself said something. */
  const own: Record<string, string> = {};
  let decided: boolean, started: boolean;
  let held: Call[] = [];
  /** How many of what is held were counted as kept back, when the page was left. */
  let counted = 0;

  /** Count what is more than a page view, as sent or as kept back. */
  const mark = (call: Call) =>
    /^track/.test(call[0]) && ![...call].includes("PageView") &&
    count("conversions", { [Object.values(ids).includes(true) ? "sent" : "blocked"]: { [vendors[0].key]: 1 } });

  const fbq: any = function () {
    gate(arguments);
  };
  fbq.push = fbq;
  fbq.queue = [];
  fbq.loaded = true;
  fbq.version = "2.0";

  const tell = (call: Call) => {
    // What the page wraps around this one is what Meta's script finds.
    const { callMethod } = page.fbq;
    callMethod ? callMethod.apply(fbq, call) : fbq.queue.push(call);
  };

  const send = (call: Call) => passes(call, (id) => ids[id]) && tell(call);

  const gate = (call: Call) => {
    if (!passes(call, (id) => vendors.some((vendor) => vendor.ids?.includes(id + ""))))
      call[0] == "consent" || warn(`add ${call[1]} to the site file: its calls are dropped`);
    else if (!decided) held.push(call);
    // The site's snippet that runs after a stored grant says again what the widget has said.
    else {
      mark(call);
      if (started && !(own[named(call)] == location.href && delete own[named(call)])) send(call);
    }
  };

  guardProperty(page, "fbq", (given) => {
    // Another stub, with what it was told already; what only wraps this one is the page's business.
    const { queue } = given || fbq;
    if (queue == fbq.queue) return given || fbq;
    if (!queue) return Object.setPrototypeOf(given, fbq);
    queue.splice(0).forEach(gate);
    return fbq;
  });
  page._fbq = fbq;
  // Who leaves undecided has allowed nothing.
  addEventListener("pagehide", () => {
    while (counted < held.length) mark(held[counted++]);
  });

  return (now, allows, leaving) => {
    if (!now) return;
    const first: Call[] = [];
    let opens = false;
    const say = (call: Call) => held.some((said) => named(said) == named(call)) || first.push(call);
    for (const { key, ids: its = [] } of vendors)
      for (const id of its) {
        const on = allows(key);
        if (on && !ids[id]) opens = !!say(["init", id]);
        ids[id] = on;
      }
    held.slice(counted).forEach(mark);
    if (started && !vendors.some(({ key }) => allows(key))) tell(["consent", "revoke"]);
    if (opens && !leaving) {
      if (!started) {
        load("https://connect.facebook.net/en_US/fbevents.js");
        say(["track", "PageView"]);
      }
      started = true;
      // Behind the site's settings, which hold for the page view.
      while (held[0] && !/^track/.test(held[0][0])) send(held.shift()!);
      for (const call of first) {
        own[named(call)] = location.href;
        send(call);
      }
      held.forEach(send);
    }
    decided = true;
    held = [];
  };
};

export default meta;
