import type { Adapter, Call } from "./adapter";

/** What may pass of one fbq() call: consent is the widget's own, and pixels that are not granted get nothing. */
export const passes = (call: Call, open: (id: string) => unknown): boolean =>
  call[0] != "consent" && (!/^(init|trackSingle)/.test(call[0]) || !!open("" + call[1]));

/** The calls that open granted pixels: each init once, then one page view, then what the site had said. */
export function opening(held: Call[], ids: string[], viewed: boolean): Call[] {
  const rest = held.slice();
  const take = (...call: string[]): Call => {
    const at = rest.findIndex((one) => one[0] == call[0] && one[1] == call[1]);
    return at < 0 ? call : rest.splice(at, 1)[0];
  };
  return [...ids.map((id) => take("init", id)), ...(viewed ? [] : [take("track", "PageView")]), ...rest];
}

const meta: Adapter = (_notice, vendors, load) => {
  const page = window as any;
  const ids: Record<string, boolean | undefined> = {};
  const sent: Record<string, boolean> = {};
  let decided: boolean, started: boolean;
  let held: Call[] = page.fbq?.queue?.splice(0) || [];

  const fbq: any = function () {
    gate(arguments);
  };
  fbq.queue = [];
  fbq.push = fbq;
  fbq.loaded = true;
  fbq.version = "2.0";
  page.fbq = page._fbq = fbq;

  const send = (call: Call) => (fbq.callMethod ? fbq.callMethod.apply(fbq, call) : fbq.queue.push(call));

  const gate = (call: Call) => {
    const name = call[0] + call[1];
    if (!decided) held.push(call);
    else if (started && passes(call, (id) => ids[id])) {
      // The site's snippet that runs after a stored grant says again what the widget has said.
      if (sent[name] && (call[0] == "init" || document.readyState != "complete")) sent[name] = call[0] == "init";
      else send(call);
    }
  };

  return (answer, allows, leaving) => {
    if (!answer) return;
    decided = true;
    for (const { key, id } of vendors) ids[id!] = allows(key);
    const open = vendors.map(({ id }) => id!).filter((id) => ids[id]);
    if (started && !open[0]) send(["consent", "revoke"]);
    else if (open[0] && !leaving) {
      const fresh = open.filter((id) => !sent["init" + id]);
      for (const call of opening(held, fresh, started)) if (passes(call, (id) => ids[id])) send(call);
      for (const id of fresh) sent["init" + id] = true;
      if (!started) {
        load("https://connect.facebook.net/en_US/fbevents.js");
        sent.trackPageView = !held.some((call) => call[1] == "PageView");
      }
      started = true;
    }
    held = [];
  };
};

export default meta;
