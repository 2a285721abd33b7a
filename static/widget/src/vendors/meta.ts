import type { Adapter, Ask, Call } from "./adapter";

/** What may pass of one fbq() call: consent is the widget's own, and pixels that are not granted get nothing. */
export const passes = (call: Call, open: Ask): boolean =>
  call[0] != "consent" && (!/^(init|trackSingle)/.test(call[0]) || !!open(call[1]));

const named = (call: Call): string => call[0] + call[1];

/** The calls that open a pixel, each in the site's own words where it has said it already, then what else it has said. */
export function opening(held: Call[], first: Call[]): Call[] {
  const others = [...held];
  const opened = first.map((call) => {
    const at = others.findIndex((said) => named(said) == named(call));
    return at < 0 ? call : others.splice(at, 1)[0];
  });
  return [...opened, ...others];
}

const meta: Adapter = (_notice, vendors, load) => {
  const page = window as any;
  const ids: Record<string, unknown> = {};
  const own = new Set();
  let decided: boolean, started: boolean;
  let held: Call[] = page.fbq?.queue || [];

  const fbq: any = function () {
    gate(arguments);
  };
  fbq.push = fbq;
  fbq.queue = [];
  fbq.loaded = true;
  fbq.version = "2.0";
  page.fbq = page._fbq = fbq;

  const tell = (call: Call) => (fbq.callMethod ? fbq.callMethod.apply(fbq, call) : fbq.queue.push(call));

  const send = (call: Call) => passes(call, (id) => ids[id]) && tell(call);

  const gate = (call: Call) => {
    if (!decided) held.push(call);
    // The site's snippet that runs after a stored grant says again what the widget has said.
    else if (started && !(own.delete(named(call)) && document.readyState != "complete")) send(call);
  };

  return (now, allows, leaving) => {
    if (!now) return;
    const first: Call[] = [];
    for (const { key, id } of vendors.flatMap(({ key, ids }) => ids!.map((id) => ({ key, id })))) {
      const on = allows(key);
      if (on && !ids[id]) first.push(["init", id]);
      ids[id] = on;
    }
    if (started && !vendors.some(({ key }) => allows(key))) tell(["consent", "revoke"]);
    if (first[0] && !leaving) {
      if (!started) {
        load("https://connect.facebook.net/en_US/fbevents.js");
        first.push(["track", "PageView"]);
      }
      started = true;
      for (const call of opening(held, first)) {
        if (first.includes(call)) own.add(named(call));
        send(call);
      }
    }
    decided = true;
    held = [];
  };
};

export default meta;
