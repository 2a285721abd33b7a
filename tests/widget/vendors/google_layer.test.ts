import assert from "node:assert/strict";
import { test } from "node:test";
import { analytics, manager } from "../cast";
import { all, commands, loaded, none, page, queue, read, site, start, states, warned } from "./google_page";

test("a layer that the page puts in place tells all to the one that has the consent state", () => {
  const apply = start();
  const theirs: unknown[] = [{ pageType: "product" }];
  page.dataLayer = theirs;
  site("js", new Date());
  site("config", "G-ABCD123456");
  theirs.push({ event: "late" });
  assert.deepEqual(commands(), ["consent default", { pageType: "product" }, { event: "late" }]);
  apply(true, all);
  assert.deepEqual(commands(), ["consent default", "consent update", { pageType: "product" }, "js now", "config AW-123456789", "config G-ABCD123456", { event: "late" }]);
});

test("a push that the page puts in place is gated", () => {
  const apply = start();
  const seen: unknown[] = [];
  page.dataLayer.push = (...items: unknown[]) => (seen.push(...items), 1);
  site("event", "held");
  assert.deepEqual(seen, []);
  apply(true, all);
  assert.ok(seen.some((item: any) => item[1] == "held"));
});

test("markup that has the layer's name is no layer", () => {
  page.dataLayer = { tagName: "A" };
  start();
  assert.deepEqual(commands(), ["consent default"]);
});

test("what is pushed while Tag Manager is denied is dropped, also what came before the refusal", () => {
  const apply = start([manager]);
  page.dataLayer.push({ event: "before" });
  assert.deepEqual(commands(), ["consent default", { event: "before" }]);
  apply(true, none);
  page.dataLayer.push({ event: "purchase", value: 9 });
  assert.deepEqual(commands(), ["consent default", "consent update"]);
  apply(true, all);
  page.dataLayer.push({ event: "after" });
  assert.deepEqual(queue().slice(2).map((entry: any) => entry.event ?? entry[1]), ["update", "gtm.js", "after"]);
});

test("where there is no Tag Manager, the page's own objects are the page's own", () => {
  const apply = start();
  page.dataLayer.push({ event: "before" }, "words");
  apply(true, none);
  page.dataLayer.push({ event: "after" });
  assert.deepEqual(commands().filter((entry: unknown) => !/^consent/.test(entry as string)), ["words", { event: "before" }, { event: "after" }]);
});

test("a container that runs already has its objects at once, and none twice", () => {
  page.google_tag_manager = {};
  page.dataLayer = [{ event: "gtm.js" }];
  const apply = start([manager]);
  page.dataLayer.push({ event: "gtm.dom" });
  assert.deepEqual(commands(), [{ event: "gtm.js" }, "consent default", { event: "gtm.dom" }]);
  apply(true, none);
  assert.deepEqual(commands(), [{ event: "gtm.js" }, "consent default", { event: "gtm.dom" }, "consent update"]);
});

test("triggers are told once what holds, and of each change", () => {
  const apply = start([analytics]);
  apply(false, none);
  assert.deepEqual(states(), []);
  apply(true, (key) => key == "analytics" || key == "google-analytics", false, "save");
  assert.deepEqual(states(), [{ event: "consent_change", consent: {
    purposes: { analytics: true, advertising: false },
    vendors: { "google-analytics": true, "google-ads": false, "meta-pixel": false, "google-tag-manager": false },
    action: "save",
  } }]);
  delete page.dataLayer;
  const back = start([analytics]);
  back(true, none, false, "refuse_all");
  assert.equal(states().at(-1)!.event, "consent_ready");
});

test("a state that nothing has read gives way to the next", () => {
  const apply = start([manager]);
  apply(true, none, false, "refuse_all");
  apply(true, all, false, "accept_all");
  assert.deepEqual(states().map((entry: any) => entry.consent.action), ["accept_all"]);
  apply(true, none, true, "withdraw");
  assert.deepEqual(states().map((entry: any) => entry.consent.action), ["accept_all", "withdraw"]);
});

const tick = () => new Promise((done) => setTimeout(done, 5));

test("whoever waits for an answer of a held or dropped call gets it, once", async () => {
  const apply = start([analytics, manager]);
  const heard: unknown[] = [];
  const hear = (name: string) => (given: unknown) => heard.push(name, given);
  const params = { event_callback: hear("click"), value: 1 };
  page.gtag("event", "click", params);
  page.gtag("get", "G-ABCD123456", "client_id", hear("get"));
  page.dataLayer.push({ event: "buy", eventCallback: hear("buy") });
  await tick();
  assert.deepEqual(heard, ["click", undefined, "get", undefined, "buy", undefined]);
  assert.equal(typeof params.event_callback, "function");
  apply(true, all);
  const click = queue().find((entry: any) => entry[1] == "click");
  assert.deepEqual(click[2], { event_callback: undefined, value: 1 });
  assert.ok(!queue().some((entry: any) => entry[0] == "get"));
  apply(true, none);
  heard.length = 0;
  page.gtag("event", "again", { send_to: "G-ABCD123456", event_callback: hear("dropped") });
  await tick();
  assert.deepEqual(heard, ["dropped", undefined]);
});

test("an answer that Google is to give is Google's", async () => {
  start()(true, all);
  let heard = 0;
  page.gtag("event", "click", { event_callback: () => heard++ });
  await tick();
  assert.equal(heard, 0);
  assert.equal(typeof queue().at(-1)[2].event_callback, "function");
});

test("settings go before the page view, in the order in which they were made", () => {
  const apply = start([analytics]);
  page.gtag("js", new Date());
  page.gtag("set", { user_id: "u" });
  page.gtag("event", "first");
  apply(true, all);
  assert.deepEqual(commands().slice(2), ["js now", "set [object Object]", "config G-ABCD123456", "event first"]);
});

test("a snippet however late does not send the page view again, on another page it does", () => {
  start([analytics])(true, all);
  page.location = { href: "https://shop.example/next" };
  page.gtag("config", "G-ABCD123456");
  assert.deepEqual(queue().at(-1), ["config", "G-ABCD123456"]);
});

test("several ids of one vendor are all opened, by one script", () => {
  start([{ ...analytics, ids: ["G-ABCD123456", "G-SECOND1234"] }])(true, all);
  assert.deepEqual(commands().slice(3), ["config G-ABCD123456", "config G-SECOND1234"]);
  assert.equal(loaded.length, 1);
});

test("an id that the site file does not name is refused aloud", () => {
  const apply = start();
  page.gtag("config", "GT-ABC1234");
  page.gtag("event", "x", { send_to: ["AW-123456789/l", "DC-9/y"] });
  assert.deepEqual(warned.map((text) => text.split(" ")[1]), ["GT-ABC1234", "DC-9"]);
  apply(true, all);
  assert.ok(!commands().includes("config GT-ABC1234"));
});

test("where Consent Mode is left to the site, its own states pass and the widget says none", () => {
  const apply = start([analytics], { google: { signals: false } });
  site("consent", "default", { ad_storage: "denied" });
  apply(true, all);
  assert.deepEqual(commands(), ["consent default", "js now", "config G-ABCD123456"]);
  assert.deepEqual(queue()[0][2], { ad_storage: "denied" });
});

test("a layer of another name is spoken to, and its scripts are told", () => {
  start([analytics, manager], { google: { layer: "myLayer", calls: [["set", "url_passthrough", true]] } })(true, all);
  assert.equal(page.dataLayer, undefined);
  assert.deepEqual(read(page.myLayer)[1], ["set", "url_passthrough", true]);
  assert.ok(loaded.every((src) => src.endsWith("&l=myLayer")), loaded + "");
});
