import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Adapter } from "../../../static/widget/src/vendors/adapter";
import brevo from "../../../static/widget/src/vendors/brevo";
import clarity from "../../../static/widget/src/vendors/clarity";
import drift from "../../../static/widget/src/vendors/drift";
import sentry from "../../../static/widget/src/vendors/sentry";
import uet from "../../../static/widget/src/vendors/uet";
import zendesk from "../../../static/widget/src/vendors/zendesk";
import { purposes } from "../cast";

const page = globalThis as any;
const GLOBALS = ["Brevo", "clarity", "drift", "driftt", "Sentry", "uetq", "UET", "zE", "window", "document"];
const every = { brevo, clarity, drift, sentry, uet, zendesk };
const all = () => true;
const none = () => false;
let loaded: string[];
let element: { id?: string };

/** The adapter on a page with one vendor; `come` lets its script arrive. */
function start(adapter: Adapter, id = "x1") {
  const arrived: (() => void)[] = [];
  const load = (src: string) => {
    loaded.push(src);
    return { then: (done?: () => void) => arrived.push(() => done?.()) } as unknown as Promise<unknown>;
  };
  const vendor = { key: "one", adapter: "any", ids: [id], purposes: ["analytics"] };
  const apply = adapter({ purposes, advanced: false }, [vendor], load);
  return { apply, come: () => arrived.forEach((done) => done()) };
}

/** A call of page code to each vendor, in its own form. */
const call: Record<string, () => void> = {
  brevo: () => page.Brevo.push(["track", "now"]),
  clarity: () => page.clarity("event", "now"),
  drift: () => page.drift.track("now"),
  sentry: () => page.Sentry.onLoad(() => page.seen.push("now")),
  uet: () => page.uetq.push("event", "now", {}),
  zendesk: () => page.zE("messenger", "now"),
};

/** What its script finds, or is given when it has come. */
const delivered: Record<string, () => string> = {
  brevo: () => JSON.stringify(page.Brevo),
  clarity: () => JSON.stringify(page.clarity.q.map((call: ArrayLike<unknown>) => Array.from(call))),
  drift: () => JSON.stringify([...page.drift]),
  sentry: () => JSON.stringify(page.seen),
  uet: () => JSON.stringify(page.uetq),
  zendesk: () => JSON.stringify(page.seen),
};

/** What the scripts themselves put into the page. */
function bring(): void {
  page.Sentry = { onLoad: (work: () => void) => work(), close: () => page.seen.push("close") };
  page.zE = (...said: unknown[]) => page.seen.push(said);
}

beforeEach(() => {
  loaded = [];
  element = {};
  page.window = page;
  page.seen = [];
  page.document = { head: { get lastElementChild() { return element; } } };
});
afterEach(() => GLOBALS.forEach((name) => delete page[name]));

for (const [name, adapter] of Object.entries(every)) {
  test(`${name}: before a choice it is not loaded, and page code can call it`, () => {
    const { apply } = start(adapter);
    call[name]();
    apply(false, all);
    assert.deepEqual(loaded, []);
  });

  test(`${name}: a grant loads it once and lets pass what waited`, () => {
    const { apply, come } = start(adapter);
    call[name]();
    apply(true, all);
    apply(true, all);
    assert.equal(loaded.length, 1);
    bring();
    come();
    assert.match(delivered[name](), /now/);
  });

  test(`${name}: what was called after a denial, or before it, is dropped`, () => {
    const { apply, come } = start(adapter);
    call[name]();
    apply(true, none);
    call[name]();
    assert.deepEqual(loaded, []);
    apply(true, all);
    assert.equal(loaded.length, 1);
    bring();
    come();
    assert.doesNotMatch(delivered[name](), /now/);
  });

  test(`${name}: nothing new is loaded when the page is about to go`, () => {
    start(adapter).apply(true, all, true);
    assert.deepEqual(loaded, []);
  });

  test(`${name}: under a notice that cannot be used page code finds it, and it stays shut`, () => {
    const apply = adapter({ purposes: [], advanced: false }, [], () => assert.fail());
    call[name]();
    apply(true, all);
  });

  test(`${name}: a script that is blocked throws nothing`, () => {
    const { apply, come } = start(adapter);
    call[name]();
    apply(true, all);
    come();
    apply(true, none, true);
  });
}

test("brevo: whose it is comes before what happened", () => {
  const { apply } = start(brevo, "key");
  call.brevo();
  apply(true, all);
  assert.deepEqual(page.Brevo, [["init", { client_key: "key" }], ["track", "now"]]);
  assert.deepEqual(loaded, ["https://cdn.brevo.com/js/sdk-loader.js"]);
});

test("uet: denied by default, then granted, then what waited; the tag starts with a page view", () => {
  const { apply, come } = start(uet, "12345678");
  call.uet();
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
  assert.deepEqual(page.uetq.given, { ti: "12345678", enableAutoSpaTracking: true, q: queue });
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
  assert.equal(element.id, "ze-snippet");
  bring();
  come();
  apply(true, none, true);
  assert.deepEqual(page.seen, [["messenger:set", "cookies", "all"], ["messenger:set", "cookies", "none"]]);
});

test("sentry: what is caught before the grant is forgotten, and the SDK is closed at a withdrawal", () => {
  const { apply, come } = start(sentry, "abc");
  page.Sentry.captureException(new Error("early"));
  apply(true, all);
  assert.deepEqual(loaded, ["https://js.sentry-cdn.com/abc.min.js"]);
  bring();
  come();
  apply(true, none, true);
  assert.deepEqual(page.seen, ["close"]);
});
