import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { guardProperty } from "../../../static/widget/src/vendors/replaced";
import meta, { passes } from "../../../static/widget/src/vendors/meta";
import { notice, pixel } from "../cast";

const page = globalThis as any;
const ID = "1234567890123456";
const all = () => true;
const none = () => false;
let loaded: string[];
let warned: string[];
let counted: unknown[];

const start = (vendors = [pixel]) =>
  meta(notice, vendors, (src) => (loaded.push(src), Promise.resolve()), (_, counts) => counted.push(counts), (text) => void warned.push(text), guardProperty);
const queue = () => page.fbq.queue.map((call: ArrayLike<unknown>) => Array.from(call).join(" "));

beforeEach(() => {
  loaded = [];
  warned = [];
  counted = [];
  page.location = { href: "https://shop.example/" };
  page.window = page;
  page.addEventListener = (name: string, work: () => void) => (page.leave = work);
});
afterEach(() => {
  for (const name of ["addEventListener", "leave", "window", "location", "fbq", "_fbq"]) delete page[name];
});

test("before a choice calls are held and nothing is loaded", () => {
  start()(false, none);
  page.fbq("track", "Lead");
  assert.deepEqual(queue(), []);
  assert.deepEqual(loaded, []);
});

test("a grant gives init, one page view, then what was held", () => {
  const apply = start();
  page.fbq("track", "Lead");
  apply(true, all);
  page.fbq("track", "Purchase");
  assert.deepEqual(queue(), ["init " + ID, "track PageView", "track Lead", "track Purchase"]);
  assert.deepEqual(loaded, ["https://connect.facebook.net/en_US/fbevents.js"]);
});

test("the site's own init and page view are not doubled", () => {
  const apply = start();
  page.fbq("track", "Lead");
  page.fbq("init", ID, { em: "x" });
  page.fbq("track", "PageView");
  apply(true, all);
  assert.deepEqual(queue(), ["track Lead", `init ${ID} [object Object]`, "track PageView"]);
});

test("a snippet that runs after a stored grant is not doubled", () => {
  start()(true, all);
  page.fbq("init", ID);
  page.fbq("track", "PageView");
  page.fbq("track", "PageView");
  assert.deepEqual(queue(), ["init " + ID, "track PageView", "track PageView"]);
});

test("a queue that stood there before is held", () => {
  page.fbq = { queue: [["track", "Lead"]] };
  const apply = start();
  assert.deepEqual(queue(), []);
  apply(true, all);
  assert.deepEqual(queue(), ["init " + ID, "track PageView", "track Lead"]);
});

test("a refusal drops all", () => {
  const apply = start();
  page.fbq("track", "Lead");
  apply(true, none);
  page.fbq("track", "Lead");
  assert.deepEqual(queue(), []);
  assert.deepEqual(loaded, []);
});

test("a withdrawal tells the pixel, and a reload to come loads nothing", () => {
  const apply = start();
  apply(true, all);
  apply(true, none, true);
  assert.equal(queue().at(-1), "consent revoke");
  const other = start();
  other(true, all, true);
  assert.deepEqual(queue(), []);
  assert.equal(loaded.length, 1);
});

test("once the script is there calls go to it", () => {
  start()(true, all);
  const seen: unknown[][] = [];
  page.fbq.callMethod = (...call: unknown[]) => seen.push(call);
  page.fbq("track", "Lead");
  assert.deepEqual(seen, [["track", "Lead"]]);
});

test("pixels that are not granted get nothing, and consent is the widget's own", () => {
  const open = (id: string) => id == ID;
  assert.ok(passes(["init", ID], open));
  assert.ok(!passes(["init", "999"], open));
  assert.ok(!passes(["trackSingle", "999", "Lead"], open));
  assert.ok(!passes(["trackSingleCustom", "999", "Lead"], open));
  assert.ok(!passes(["consent", "grant"], open));
  assert.ok(passes(["track", "Lead"], open));
});

test("calls leave in the order in which they were made, the widget's own behind the site's settings", () => {
  const apply = start();
  page.fbq("dataProcessingOptions", ["LDU"], 0, 0);
  page.fbq("set", "autoConfig", false, ID);
  page.fbq("track", "ViewContent");
  apply(true, all);
  assert.deepEqual(queue(), [
    "dataProcessingOptions LDU 0 0", `set autoConfig false ${ID}`, "init " + ID, "track PageView", "track ViewContent",
  ]);
});

test("a stub that the page puts in place is held with what it was told", () => {
  const apply = start();
  const stub: any = () => assert.fail("the page's stub was called");
  stub.queue = [["track", "Early"]];
  page.fbq = stub;
  page.fbq("track", "Late");
  apply(true, all);
  assert.deepEqual(queue(), ["init " + ID, "track PageView", "track Early", "track Late"]);
});

test("what only wraps the widget's function is left alone", () => {
  const apply = start();
  const inner = page.fbq;
  const seen: unknown[] = [];
  page.fbq = (...call: unknown[]) => (seen.push(call), inner(...call));
  page.fbq("track", "Lead");
  assert.equal(seen.length, 1);
  apply(true, all);
  page.fbq = undefined;
  assert.deepEqual(queue(), ["init " + ID, "track PageView", "track Lead"]);
});

test("several pixels open together, and one that the site file does not name is refused aloud", () => {
  const apply = start([{ ...pixel, ids: [ID, "222"] }]);
  page.fbq("init", "999");
  apply(true, all);
  assert.deepEqual(queue(), ["init " + ID, "init 222", "track PageView"]);
  assert.equal(warned.length, 1);
  assert.match(warned[0], /999/);
});

test("a page view on another page is one of its own", () => {
  start()(true, all);
  page.location = { href: "https://shop.example/next" };
  page.fbq("track", "PageView");
  assert.deepEqual(queue().slice(2), ["track PageView"]);
});

const sent = { sent: { "meta-pixel": 1 } };
const blocked = { blocked: { "meta-pixel": 1 } };

test("what is more than a page view is counted as sent or as kept back", () => {
  const apply = start();
  page.fbq("track", "PageView");
  page.fbq("track", "Lead");
  page.fbq("trackSingle", ID, "PageView");
  page.fbq("trackSingle", ID, "Purchase");
  assert.deepEqual(counted, []);
  apply(true, all);
  page.fbq("trackCustom", "Booked");
  assert.deepEqual(counted, [sent, sent, sent]);
});

test("what a denial drops is counted as kept back", () => {
  const apply = start();
  page.fbq("track", "Lead");
  apply(true, none);
  page.fbq("track", "Purchase");
  assert.deepEqual(counted, [blocked, blocked]);
});

test("who leaves undecided is counted once, also when the page comes back", () => {
  const apply = start();
  page.fbq("track", "Lead");
  page.leave();
  page.leave();
  page.fbq("track", "Purchase");
  apply(true, all);
  assert.deepEqual(counted, [blocked, sent]);
});
