import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Adapter } from "../../../static/widget/src/vendors/adapter";
import criteo from "../../../static/widget/src/vendors/criteo";
import hubspot from "../../../static/widget/src/vendors/hubspot";
import intercom from "../../../static/widget/src/vendors/intercom";
import linkedin from "../../../static/widget/src/vendors/linkedin";
import matomo from "../../../static/widget/src/vendors/matomo";
import mixpanel from "../../../static/widget/src/vendors/mixpanel";
import posthog from "../../../static/widget/src/vendors/posthog";
import tiktok from "../../../static/widget/src/vendors/tiktok";
import { purposes } from "../cast";

const page = globalThis as any;
const before = new Set(Object.getOwnPropertyNames(globalThis));
let loaded: string[];

/** What an adapter leaves to its vendor under these ids: addresses, and the calls in one of its queues. */
function grant(adapter: Adapter, ...ids: string[]): string[] {
  const load = async (src: string) => loaded.push(src);
  const vendor = { key: "one", adapter: "any", ids, purposes: ["analytics"] };
  adapter({ purposes, advanced: false }, [vendor], load, () => {})(true, () => true);
  return loaded;
}

beforeEach(() => {
  loaded = [];
  page.addEventListener = () => {};
  page.window = page;
  page.document = { scripts: [] };
});
afterEach(() => {
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!before.has(name)) delete page[name];
});

test("linkedin: one script for all partners", () => {
  assert.equal(grant(linkedin, "11111", "22222").length, 1);
  assert.deepEqual([page._linkedin_partner_id, page._linkedin_data_partner_ids], ["11111", ["11111", "22222"]]);
});

test("criteo: one account is a number, several are a list", () => {
  grant(criteo, "12345");
  assert.deepEqual([...page.criteo_q], [{ event: "setAccount", account: 12345 }]);
  delete page.criteo_q;
  grant(criteo, "12345", "678");
  assert.deepEqual([...page.criteo_q], [{ event: "setAccount", account: [12345, 678] }]);
});

test("matomo: the script is the cloud's or the host's own; more sites are trackers beside the first", () => {
  assert.deepEqual(grant(matomo, "shop.matomo.cloud/1"), ["https://cdn.matomo.cloud/shop.matomo.cloud/matomo.js"]);
  delete page._paq;
  assert.equal(grant(matomo, "stats.shop.example/matomo/7", "stats.agency.example/42")[1], "https://stats.shop.example/matomo/matomo.js");
  assert.deepEqual([...page._paq].slice(0, 4), [
    ["requireConsent"],
    ["setTrackerUrl", "https://stats.shop.example/matomo/matomo.php"],
    ["setSiteId", "7"],
    ["addTracker", "https://stats.agency.example/matomo.php", "42"],
  ]);
});

test("tiktok: a script and a queue for each pixel, and its snippet starts none of its own", (context) => {
  const warned = context.mock.method(console, "warn", () => {});
  assert.equal(grant(tiktok, "A1", "B2").length, 2);
  // As its snippet does.
  page.ttq.load = () => assert.fail();
  page.ttq.load("A1");
  page.ttq.page();
  page.ttq.load("C3");
  page.ttq.instance("B2").track("buy");
  assert.deepEqual(Object.keys(page.ttq._o), ["A1", "B2"]);
  assert.deepEqual([[...page.ttq], [...page.ttq._i.B2]], [[["page"]], [["track", "buy"]]]);
  assert.match(warned.mock.calls[0].arguments[0], /C3/);
});

test("a region before the id chooses the host", () => {
  grant(hubspot, "145678");
  grant(hubspot, "eu1-145678");
  grant(intercom, "eu-abcd1234");
  grant(posthog, "us-phc_1");
  grant(mixpanel, "eu-0a1b");
  assert.deepEqual(loaded.slice(0, 4), [
    "https://js.hs-scripts.com/145678.js",
    "https://js-eu1.hs-scripts.com/145678.js",
    "https://widget.intercom.io/widget/abcd1234",
    "https://us-assets.i.posthog.com/static/array.js",
  ]);
  assert.equal(page.intercomSettings.api_base, "https://api-iam.eu.intercom.io");
  assert.deepEqual(page.posthog._i, [["phc_1", { api_host: "https://us.i.posthog.com" }, "posthog"]]);
  assert.deepEqual(page.mixpanel._i, [["0a1b", { api_host: "https://api-eu.mixpanel.com" }, "mixpanel"]]);
});
