import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import meta, { opening, passes } from "../../../static/widget/src/vendors/meta";
import { notice, pixel } from "../cast";

const page = globalThis as any;
const ID = "1234567890123456";
const all = () => true;
const none = () => false;
let loaded: string[];

const start = () => meta(notice, [pixel], (src) => (loaded.push(src), Promise.resolve()));
const queue = () => page.fbq.queue.map((call: ArrayLike<unknown>) => Array.from(call).join(" "));

beforeEach(() => {
  loaded = [];
  page.window = page;
  page.document = { readyState: "interactive" };
});
afterEach(() => {
  for (const name of ["window", "document", "fbq", "_fbq"]) delete page[name];
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
  assert.deepEqual(queue(), [`init ${ID} [object Object]`, "track PageView", "track Lead"]);
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

test("opening calls leave the held ones as they were", () => {
  const held = [["track", "PageView"]];
  opening(held, [["init", ID], ["track", "PageView"]]);
  assert.equal(held.length, 1);
});
