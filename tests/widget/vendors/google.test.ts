import assert from "node:assert/strict";
import { test } from "node:test";
import { sift, signals } from "../../../static/widget/src/vendors/google";
import { ads, analytics, manager, notice, pixel } from "../cast";
import { all, commands, counted, isState, leave, loaded, none, page, queue, site, start } from "./google_page";

const open = (...ids: string[]) => (id: string) => ids.includes(id);

test("before a choice there is one default, seven types, and no script", () => {
  start()(false, none);
  assert.deepEqual(queue(), [["consent", "default", {
    ad_storage: "denied", ad_user_data: "denied", ad_personalization: "denied", analytics_storage: "denied",
    functionality_storage: "denied", personalization_storage: "denied", security_storage: "granted",
  }]]);
  assert.deepEqual(loaded, []);
});

test("entries are Arguments objects", () => {
  start()(true, all);
  for (const entry of page.dataLayer) if (!isState(entry)) assert.equal(String(entry), "[object Arguments]");
});

test("a grant gives default, update, js, config, in this order and once", () => {
  start()(true, all);
  assert.deepEqual(commands(), ["consent default", "consent update", "js now", "config G-ABCD123456", "config AW-123456789"]);
  assert.deepEqual(loaded, ["https://www.googletagmanager.com/gtag/js?id=G-ABCD123456"]);
});

test("a refusal gives one update and nothing else", () => {
  const apply = start();
  page.gtag("event", "before");
  apply(true, none);
  page.gtag("event", "after");
  assert.deepEqual(commands(), ["consent default", "consent update"]);
  assert.deepEqual(loaded, []);
  assert.equal(page["ga-disable-G-ABCD123456"], true);
});

test("what the page queued before is held behind the default, and follows in its order", () => {
  page.dataLayer = [];
  site("js", new Date());
  site("config", "G-ABCD123456", { user_id: "u" });
  page.dataLayer.push({ event: "own" });
  const apply = start();
  assert.deepEqual(commands(), ["consent default", { event: "own" }]);
  apply(true, all);
  assert.deepEqual(commands(), ["consent default", "consent update", "js now", "config AW-123456789", "config G-ABCD123456", { event: "own" }]);
  assert.deepEqual(queue().at(-2), ["config", "G-ABCD123456", { user_id: "u" }]);
});

test("the site's usual stub, defined anew, is gated too", () => {
  const apply = start();
  site("consent", "update", { ad_storage: "granted" });
  site("event", "held");
  assert.deepEqual(commands(), ["consent default"]);
  apply(true, (key) => key != "google-ads" && key != "advertising");
  site("event", "ad", { send_to: "AW-123456789/label" });
  assert.deepEqual(commands(), ["consent default", "consent update", "js now", "config G-ABCD123456", "event held"]);
});

test("a site's snippet after a stored grant does not send the page view again", () => {
  start([analytics])(true, all);
  page.gtag("config", "G-ABCD123456", { user_id: "u" });
  page.gtag("config", "G-ABCD123456", { page_path: "/two" });
  assert.deepEqual(queue().slice(3), [
    ["config", "G-ABCD123456"],
    ["config", "G-ABCD123456", { user_id: "u", send_page_view: false }],
    ["config", "G-ABCD123456", { page_path: "/two" }],
  ]);
});

test("a vendor granted later is configured with the script that is there", () => {
  const apply = start();
  apply(true, (key) => /analytics/.test(key));
  apply(true, all);
  assert.deepEqual(commands().slice(4), ["consent update", "config AW-123456789"]);
  assert.equal(loaded.length, 1);
  assert.equal(page["ga-disable-AW-123456789"], false);
});

test("before a reload nothing new is loaded", () => {
  start()(true, all, true);
  assert.deepEqual(commands(), ["consent default", "consent update"]);
  assert.deepEqual(loaded, []);
});

test("Google's own push sees what passes, and only that", async () => {
  const apply = start();
  apply(true, (key) => /analytics/.test(key));
  const inner = page.dataLayer.push;
  const seen: unknown[] = [];
  page.dataLayer.push = (item: any) => (seen.push(item), inner(item));
  await Promise.resolve();
  site("event", "ad", { send_to: "AW-123456789/label" });
  site("event", "view");
  assert.deepEqual(seen.map((item: any) => item[1]), ["view"]);
  assert.deepEqual(commands().slice(4), ["event view"]);
});

test("Tag Manager gets its start event and its own script", () => {
  start([manager])(true, all);
  assert.equal(queue()[2].event, "gtm.js");
  assert.ok(page.dataLayer.findIndex(isState) < page.dataLayer.findIndex((entry: any) => entry.event == "gtm.js"));
  assert.deepEqual(loaded, ["https://www.googletagmanager.com/gtm.js?id=GTM-ABC1234"]);
});

test("advanced mode loads at once under the denied default", () => {
  const apply = start(undefined, { advanced: true, google: { calls: [["set", "ads_data_redaction", true]] } });
  apply(false, none);
  assert.deepEqual(commands(), ["consent default", "set ads_data_redaction", "js now", "config G-ABCD123456", "config AW-123456789"]);
  assert.equal(queue()[0][2].wait_for_update, 500);
  apply(true, none);
  assert.deepEqual(commands().slice(5), ["consent update"]);
  assert.equal(page["ga-disable-G-ABCD123456"], undefined);
});

const sale = ["event", "conversion", { send_to: "AW-123456789/label", value: 5 }] as const;
const sent = ["conversions", { sent: { "google-ads": 1 } }];
const blocked = ["conversions", { blocked: { "google-ads": 1 } }];

test("a conversion is counted for its vendor, sent or blocked, and for nobody when the notice does not know it", () => {
  const apply = start();
  apply(true, (key) => /analytics/.test(key));
  page.gtag(...sale);
  apply(true, all);
  page.gtag(...sale);
  page.gtag("event", "conversion", { send_to: "AW-999/label" });
  page.gtag("event", "purchase", { send_to: "AW-123456789/label" });
  page.gtag("config", "AW-123456789");
  page.gtag("event", "conversion");
  assert.deepEqual(counted, [blocked, sent]);
});

test("under a refusal of everything it is counted too", () => {
  start()(true, none);
  page.gtag(...sale);
  assert.deepEqual(counted, [blocked]);
  assert.deepEqual(commands(), ["consent default", "consent update"]);
});

test("a held conversion is counted when the choice comes", () => {
  const apply = start();
  site(...sale);
  assert.deepEqual(counted, []);
  apply(true, all);
  leave();
  assert.deepEqual(counted, [sent]);
});

test("who leaves undecided has kept it back", () => {
  start();
  page.gtag(...sale);
  page.gtag("event", "view");
  leave();
  assert.deepEqual(counted, [blocked]);
});

test("who leaves undecided, comes back and chooses is counted once, and what was held is sent", () => {
  const apply = start();
  page.gtag(...sale);
  leave();
  leave();
  page.gtag(...sale);
  assert.deepEqual(counted, [blocked]);
  leave();
  assert.deepEqual(counted, [blocked, blocked]);
  apply(true, all);
  leave();
  assert.deepEqual(counted, [blocked, blocked]);
  assert.deepEqual(queue().slice(-2), [[...sale], [...sale]]);
  page.gtag(...sale);
  assert.deepEqual(counted, [blocked, blocked, sent]);
});

test("a conversion for two vendors is counted for each", () => {
  const other = { ...ads, key: "other-ads", ids: ["AW-2"] };
  start([analytics, ads, other])(true, (key) => key == "google-ads" || key == "analytics");
  page.gtag("event", "conversion", { send_to: ["AW-123456789/x", "AW-2/y"] });
  assert.deepEqual(counted, [sent, ["conversions", { blocked: { "other-ads": 1 } }]]);
});

test("calls for destinations that are not granted do not pass", () => {
  const only = open("G-ABCD123456");
  assert.equal(sift(["config", "AW-123456789"], only), false);
  assert.equal(sift(["config", "G-OTHER12345"], only), false);
  assert.equal(sift(["get", "AW-123456789", "client_id"], only), false);
  assert.equal(sift(["event", "x", { send_to: "AW-123456789/label" }], only), false);
  assert.equal(sift(["event", "x", { send_to: ["DC-1/x", "GT-2", "GTM-3"] }], only), false);
  assert.equal(sift(["consent", "update", {}], only), false);
  assert.equal(sift(["js", new Date()], only), false);
});

test("a call for several destinations is narrowed to those granted", () => {
  const params = { send_to: ["AW-123456789/x", "G-ABCD123456", "group"], value: 1 };
  assert.deepEqual(sift(["event", "x", params], open("G-ABCD123456")), ["event", "x", { send_to: ["G-ABCD123456", "group"], value: 1 }]);
  assert.equal(params.send_to.length, 3);
});

test("calls without a destination pass as they are", () => {
  for (const call of [["event", "x"], ["event", "x", null], ["set", { a: 1 }], ["event", "x", { send_to: "group" }], []])
    assert.equal(sift(call, none), call);
});

test("ad types stay denied when no granted Google vendor serves advertising", () => {
  const types = signals(notice, [analytics, ads], (key) => key != "google-ads");
  assert.equal(types.analytics_storage, "granted");
  assert.equal(types.ad_storage, "denied");
});

test("a vendor granted by itself has the types of its purposes", () => {
  const types = signals(notice, [analytics, ads], (key) => key == "google-ads");
  assert.equal(types.ad_user_data, "granted");
  assert.equal(types.analytics_storage, "denied");
});

test("a container takes no more than the purposes that are granted", () => {
  const types = signals(notice, [manager], (key) => ["google-tag-manager", "analytics"].includes(key));
  assert.equal(types.analytics_storage, "granted");
  assert.equal(types.ad_storage, "denied");
});

test("a purpose that no Google vendor serves speaks for itself", () => {
  assert.equal(signals(notice, [pixel].filter(() => false), (key) => key == "advertising").ad_storage, "granted");
});
