import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Adapter, Call } from "../../../static/widget/src/vendors/adapter";
import brevo from "../../../static/widget/src/vendors/brevo";
import clarity from "../../../static/widget/src/vendors/clarity";
import drift from "../../../static/widget/src/vendors/drift";
import { answer } from "../../../static/widget/src/vendors/answer";
import sentry from "../../../static/widget/src/vendors/sentry";
import { tag } from "../../../static/widget/src/vendors/tag";
import uet from "../../../static/widget/src/vendors/uet";
import zendesk from "../../../static/widget/src/vendors/zendesk";
import { purposes } from "../cast";
import { readAdapters } from "./adapters";

const page = globalThis as any;
const before = new Set(Object.getOwnPropertyNames(globalThis));
const all = () => true;
const none = () => false;
let loaded: string[];
let counted: unknown[];
let scripts: { src: string; id?: string }[];

/** The adapter on a page with one vendor; `come` lets its script arrive. */
function start(adapter: Adapter, ...ids: string[]) {
  const arrived: (() => void)[] = [];
  const load = (src: string) => {
    loaded.push(src);
    scripts.push({ src });
    return { then: (done?: () => void) => arrived.push(() => done?.()) } as unknown as Promise<unknown>;
  };
  const vendor = { key: "one", adapter: "any", ids: ids[0] ? ids : ["x1"], purposes: ["analytics"] };
  const apply = adapter({ purposes, advanced: false }, [vendor], load, (_, counts) => counted.push(counts));
  return { apply, come: () => arrived.forEach((done) => done()) };
}

/** What the scripts themselves put into the page, while they run. */
function bring(put: () => void): void {
  page.document.currentScript = { localName: "script", src: loaded[loaded.length - 1] };
  put();
  page.document.currentScript = null;
}

const zendeskScript = () => (page.zE = (...said: unknown[]) => page.seen.push(said));
const sentryScript = () => (page.Sentry = { onLoad: (work: () => void) => work(), close: () => page.seen.push("close") });

beforeEach(() => {
  loaded = [];
  counted = [];
  scripts = [{ src: "https://shop.example/own.js" }];
  page.window = page;
  page.seen = [];
  page.addEventListener = (name: string, work: () => void) => (page.leave = work);
  page.document = { scripts };
});
afterEach(() => {
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!before.has(name)) delete page[name];
});

// Their script is the page's to bring.
const BY_MARKUP = new Set(["recaptcha"]);

// Every adapter in the folder that is made with `tag`. What its vendor is called with is asked in a browser.


for (const [name, adapter] of await readAdapters()) {
  test(`${name}: it is not loaded before a grant, once after it, and not by a page that is about to go`, () => {
    const { apply, come } = start(adapter, "x1-y2/3");
    apply(false, all);
    apply(true, none);
    apply(true, all, true);
    assert.deepEqual(loaded, []);
    apply(true, all);
    apply(true, all);
    const addresses = [...loaded];
    assert.equal(addresses.length, BY_MARKUP.has(name) ? 0 : 1);
    // A script that is blocked throws nothing, nor does what follows.
    come();
    apply(true, none, true);
    assert.deepEqual(loaded, addresses);
  });

  test(`${name}: under a notice that cannot be used it stays shut`, () => {
    adapter({ purposes: [], advanced: false }, [], () => assert.fail(), () => {})(true, all);
  });
}

test("brevo: whose it is comes before what happened", () => {
  const { apply } = start(brevo, "key");
  page.Brevo.push(["track", "now"]);
  apply(true, all);
  assert.deepEqual([...page.Brevo], [["init", { client_key: "key" }], ["track", "now"]]);
  assert.deepEqual(loaded, ["https://cdn.brevo.com/js/sdk-loader.js"]);
});

test("uet: denied by default, then granted, then what waited; the tag starts with a page view", () => {
  const { apply, come } = start(uet, "12345678");
  page.uetq.push("event", "now", {});
  apply(true, all);
  const queue = [...page.uetq];
  assert.deepEqual(queue, [
    "consent", "default", { ad_storage: "denied" }, "consent", "update", { ad_storage: "granted" }, "event", "now", {},
  ]);
  page.UET = class {
    said: unknown[] = [];
    constructor(public given: unknown) {}
    push(...words: unknown[]) {
      this.said.push(...words);
    }
  };
  come();
  const { q, ...given } = page.uetq.given;
  assert.deepEqual([given, [...q]], [{ ti: "12345678", enableAutoSpaTracking: true }, queue]);
  apply(true, none, true);
  assert.deepEqual(page.uetq.said, ["pageLoad", "consent", "update", { ad_storage: "denied" }]);
});

test("clarity: advertising storage follows the purpose that grants it", () => {
  const { apply } = start(clarity, "abcde12345");
  apply(true, (key) => key != "advertising");
  apply(true, all);
  apply(true, none, true);
  const said = page.clarity.q.map((call: ArrayLike<unknown>) => Array.from(call));
  const consent = (ads: string, analytics: string) => ["consentv2", { ad_Storage: ads, analytics_Storage: analytics }];
  assert.deepEqual(said, [consent("denied", "granted"), consent("granted", "granted"), consent("denied", "denied")]);
  assert.deepEqual(loaded, ["https://www.clarity.ms/tag/abcde12345"]);
});

test("drift: its snippet, left in the page, loads nothing by itself", () => {
  const { apply } = start(drift, "abc123def456");
  page.drift.load("abc123def456");
  assert.deepEqual(loaded, []);
  apply(true, all);
  assert.match(loaded[0], /^https:\/\/js\.driftt\.com\/include\/\d{13}\/abc123def456\.js$/);
  apply(true, none, true);
  assert.deepEqual([...page.drift], [["reset"], ["hide"]]);
});

test("zendesk: its script finds its own element, and is told of a withdrawal", () => {
  const { apply, come } = start(zendesk, "key");
  apply(true, all);
  assert.deepEqual(scripts.map(({ id }) => id), [undefined, "ze-snippet"]);
  bring(zendeskScript);
  come();
  apply(true, none, true);
  assert.deepEqual(page.seen, [["messenger:set", "cookies", "all"], ["messenger:set", "cookies", "none"]]);
});

test("sentry: what is caught before the grant is forgotten, and the SDK is closed at a withdrawal", () => {
  const { apply, come } = start(sentry, "abc");
  page.Sentry.captureException(new Error("early"));
  apply(true, all);
  assert.deepEqual(loaded, ["https://js.sentry-cdn.com/abc.min.js"]);
  bring(sentryScript);
  come();
  apply(true, none, true);
  assert.deepEqual(page.seen, ["close"]);
});

const SRC = "https://vendor.example/tag.js";
/** A vendor with a queue, a function and a page view. */
const made = tag(([id], _page, hold) => {
  hold.queue("vq");
  return { src: SRC, queue: hold.caller("vf", "q"), inits: [["init", id]], view: ["page"] };
});
const left = (calls: Iterable<unknown>) => [...calls].map((call) => [...(call as unknown[])]);

test("what waited is sent in the order in which it was made, over all that page code calls", () => {
  page.vq = [["first"]];
  const { apply } = start(made);
  page.vf("second");
  page.vq.push(["third"], ["fourth"]);
  bring(() => {
    apply(true, all);
    page.sent = [];
    page.vq = { push: (...calls: unknown[]) => page.sent.push(...calls) };
  });
  assert.deepEqual(left(page.vf.q), [["init", "x1"], ["page"], ["second"]]);
  page.vq.push(["fifth"]);
  assert.deepEqual(page.sent, [["fifth"]]);
});

test("what was called before a denial, or after it, never comes", () => {
  const { apply } = start(made);
  page.vf("before");
  page.vq.push(["before"]);
  apply(true, none);
  page.vf("after");
  page.vq.push(["after"]);
  page.vq = [["in a new one"]];
  apply(true, all);
  page.vf("granted");
  assert.deepEqual([left(page.vq), left(page.vf.q)], [[], [["init", "x1"], ["page"], ["granted"]]]);
});

test("an array that the page puts in its place is emptied, and whoever kept it still reaches the vendor", () => {
  const { apply } = start(made);
  page.vq.push(["one"]);
  const kept = (page.vq = [["two"]] as any);
  kept.push(["three"]);
  apply(true, all);
  // As a snippet may that runs after a stored grant, and before the script has come.
  page.vq = [];
  page.vq.push(["four"]);
  assert.deepEqual(left(page.vq), [["one"], ["two"], ["three"], ["four"]]);
  bring(() => (page.vq = { said: left(page.vq.splice(0)), push(call: unknown) { this.said.push(call); } }));
  page.vq = [["five"]];
  kept.push(["six"]);
  assert.deepEqual(page.vq.said.slice(4), [["five"], ["six"]]);
});

test("a function that the page puts in its place is heard, whenever it makes its queue", () => {
  const { apply, come } = start(made);
  const early = Object.assign(() => {}, { q: [["one"]], version: "2" });
  page.vf = early;
  page.vf = function (...call: unknown[]) {
    page.vf.q.push(call);
  };
  page.vf.q = [];
  page.vf("two");
  assert.equal(page.vf.version, "2");
  apply(true, all);
  page.vf = () => assert.fail();
  page.vf("three");
  assert.deepEqual(left(page.vf.q), [["init", "x1"], ["page"], ["one"], ["two"], ["three"]]);
  const sent: unknown[] = [];
  bring(() => (page.vf = Object.assign((...call: unknown[]) => sent.push(call), { loaded: true })));
  come();
  page.vf("four");
  assert.ok(page.vf.loaded);
  page.vf = early;
  early.q.push(["five"]);
  page.document.currentScript = { localName: "script", src: "" };
  page.vf = () => assert.fail();
  page.vf("six");
  assert.deepEqual(sent, [["four"], ["five"], ["six"]]);
});

test("a function that the page declares in its place is heard too, and what it held is dropped by a denial", () => {
  const declare = () => {
    const value: any = (...call: unknown[]) => (value.q = value.q || []).push(call);
    Object.defineProperty(page, "vf", { value, writable: true, configurable: true });
  };
  for (const [allows, sent] of [[none, []], [all, [["early"], ["late"]]]] as const) {
    delete page.vf;
    const { apply } = start(made);
    declare();
    page.vf("early");
    apply(true, allows);
    page.vf("late");
    if (allows == none) apply(true, all);
    assert.deepEqual(left(page.vf.q), [["init", "x1"], ["page"], ...sent]);
  }
});

test("a vendor that wraps what it found, and calls it, hears each call once", () => {
  const { apply, come } = start(made);
  page.vf("one");
  page.vq.push(["one"]);
  apply(true, all);
  const heard: unknown[] = [];
  bring(() => {
    const { vq, vf } = page;
    const inner = vq.push;
    vq.push = (...calls: unknown[]) => {
      inner.apply(vq, calls);
      heard.push(...calls);
    };
    page.vf = (...call: unknown[]) => {
      vf(...call);
      heard.push(call);
    };
  });
  come();
  page.vq.push(["two"]);
  page.vf("three");
  page.vq = [["four"]];
  assert.deepEqual(heard, [["two"], ["three"], ["four"]]);
  assert.deepEqual(left(page.vq), [["one"], ["two"], ["four"]]);
});

test("page code's own words start the vendor, and what it called first comes after", () => {
  const { apply } = start(made);
  page.vf("set", 1);
  page.vf("init", "x1", { user: 7 });
  page.vf("page", { name: "home" });
  apply(true, all);
  assert.deepEqual(left(page.vf.q), [["init", "x1", { user: 7 }], ["set", 1], ["page", { name: "home" }]]);
});

test("a snippet that runs after a stored grant says nothing twice; an application's later page views pass", () => {
  const { apply } = start(made);
  apply(true, all);
  page.vf("init", "x1");
  page.vf("page");
  assert.deepEqual(left(page.vf.q), [["init", "x1"], ["page"]]);
  page.vf("page");
  assert.equal(page.vf.q.length, 3);
});

test("an account that the site file does not name is refused aloud, held or not", (context) => {
  const warned = context.mock.method(console, "warn", () => {});
  const { apply } = start(made, "x1", "x2");
  page.vf("init", "x9");
  apply(true, all);
  page.vf("init", "x8");
  assert.deepEqual(left(page.vf.q), [["init", "x1"], ["page"]]);
  assert.deepEqual(warned.mock.calls.map(({ arguments: [line] }) => /x\d/.exec(line)![0]), ["x9", "x8"]);
});

test("after a withdrawal nothing more is sent, until it is granted again", () => {
  const { apply } = start(made);
  apply(true, all);
  apply(true, none, true);
  page.vf("late");
  assert.equal(page.vf.q.length, 2);
  apply(true, all);
  page.vf("again");
  assert.deepEqual(left(page.vf.q).slice(2), [["again"]]);
  assert.deepEqual(loaded, [SRC]);
});

test("who waits for a call is answered once: while it is held, when it is dropped, not again by the vendor", async () => {
  const answered: string[] = [];
  const waiting = tag((_ids, _page, hold) => {
    hold.queue("vq");
    return { src: SRC, unsent: (call) => answer(call, 1, "nothing") };
  });
  const { apply } = start(waiting);
  page.vq.push(["one", (given: string) => answered.push(given + " 1")]);
  await new Promise((done) => setTimeout(done));
  assert.deepEqual(answered, ["nothing 1"]);
  apply(true, none);
  page.vq.push(["two", (given: string) => answered.push(given + " 2")]);
  await new Promise((done) => setTimeout(done));
  assert.deepEqual(answered, ["nothing 1", "nothing 2"]);
  const again = start(waiting);
  page.vq.push(["three", (given: string) => answered.push(given + " 3")]);
  await new Promise((done) => setTimeout(done));
  again.apply(true, all);
  page.vq.forEach((call: Call) => call[1]("vendor"));
  await new Promise((done) => setTimeout(done));
  assert.deepEqual(answered, ["nothing 1", "nothing 2", "nothing 3"]);
});

const buying = tag((_ids, _page, hold) => ({
  src: "https://tag.example/", queue: hold.queue("tagq"), view: ["track", "PageView"], converts: /^track,(?!PageView)/,
}));
const sent = { sent: { one: 1 } };
const blocked = { blocked: { one: 1 } };

test("conversions are counted as sent or as kept back, each once", () => {
  const { apply } = start(buying);
  page.tagq.push(["track", "PageView"], ["track", "Lead"], ["set", "Lead"]);
  assert.deepEqual(counted, []);
  apply(true, all);
  page.tagq.push(["track", "Purchase"]);
  apply(true, none);
  page.tagq.push(["track", "Purchase"]);
  assert.deepEqual(counted, [sent, sent, blocked]);
});

test("conversions of who leaves undecided are kept back, once", () => {
  const { apply } = start(buying);
  page.tagq.push(["track", "Lead"]);
  page.leave();
  page.leave();
  apply(true, none);
  assert.deepEqual(counted, [blocked]);
});
