// What must hold for a visitor in Firefox too: nothing before a choice, both answers alike, and what is granted alone.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launch, visit } from "./visitor.mjs";

const AXE = await readFile(new URL("../../../node_modules/axe-core/axe.min.js", import.meta.url), "utf-8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const GTAG = "www.googletagmanager.com/gtag/js", PIXEL = "connect.facebook.net/en_US/fbevents.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** A test whose page must have met no error. */
const holds = (name, options, work) => test(name, async () => {
  const visitor = await visit(browser, options);
  try {
    await work(visitor);
    assert.deepEqual(visitor.faults, []);
  } finally {
    await visitor.page.browserContext().close();
  }
});

const axe = ({ page }) => page.evaluate(`(async () => { ${AXE};
  const found = await axe.run(document, {runOnly: ${JSON.stringify(TAGS)}, resultTypes: ["violations"]});
  return found.violations.flatMap(({id, nodes}) => nodes.map(({target}) => id + " at " + target)); })()`);

const gone = ({ until }) => until(() => !document.querySelector("consent-widget[role=dialog]"));

holds("nothing is asked and nothing is kept before a choice", {}, async (visitor) => {
  await visitor.button("accept").wait();
  assert.deepEqual(visitor.asked, []);
  assert.deepEqual(await visitor.cookies(), {});
  assert.equal(await visitor.page.evaluate(() => localStorage.length + sessionStorage.length), 0);
  assert.deepEqual(await axe(visitor), []);
});

holds("accept and refuse look the same, and are on the screen", {}, async ({ page }) => {
  const [accept, refuse] = await Promise.all(["accept", "refuse"].map((action) => page.$eval(`[data-action=${action}]`, (button) => {
    const { width, height, bottom } = button.getBoundingClientRect();
    const { color, backgroundColor, fontSize, fontWeight } = getComputedStyle(button);
    return { width, height, color, backgroundColor, fontSize, fontWeight, seen: bottom <= innerHeight };
  })));
  assert.deepEqual(accept, refuse);
  assert.ok(accept.seen && accept.height >= 24);
});

holds("a refusal asks nothing of any vendor and carries no identifier", {}, async (visitor) => {
  const answer = await visitor.decide("refuse");
  assert.equal(answer.visitor, null);
  await gone(visitor);
  await visitor.open();
  await gone(visitor);
  assert.deepEqual(visitor.asked, []);
  const { "p.analytics": analytics, "p.advertising": advertising, i, s } = await visitor.choice();
  assert.deepEqual([analytics, advertising, i, s], ["0", "0", undefined, undefined]);
});

holds("accepting loads each tag once, and a withdrawal takes all of it back", {}, async (visitor) => {
  const answer = await visitor.decide("accept");
  await visitor.until(() => document.cookie.includes("_fbp=") && document.cookie.includes("_ga="));
  assert.deepEqual(visitor.asked.filter((place) => [GTAG, PIXEL].includes(place)).sort(), [PIXEL, GTAG]);
  await visitor.until((id) => document.cookie.includes(id), answer.visitor);
  await visitor.page.evaluate(() => void (document.cookie = "basket=full;Path=/"));
  await visitor.button("reopen").click();
  await visitor.button("withdraw").wait();
  assert.deepEqual(await axe(visitor), []);
  // The driver clicks where the button is, be it behind the bar of buttons that stays at the end of the dialog.
  await visitor.page.$eval("consent-widget [data-action=withdraw]", (button) => button.scrollIntoView({ block: "center" }));
  await visitor.leave(() => visitor.button("withdraw").click());
  await visitor.until(() => !localStorage.getItem("eu-consent-outbox") && !localStorage.getItem("eu-consent-purge"));
  assert.deepEqual(Object.keys(await visitor.cookies()).sort(), ["basket", "eu-consent"]);
  const asked = visitor.asked.length;
  await visitor.open();
  assert.equal(visitor.asked.length, asked);
});

holds("only what was switched on is loaded", {}, async (visitor) => {
  await visitor.button("customise").click();
  await visitor.button("save").wait();
  await visitor.page.$eval("input[name=analytics]", (input) => input.click());
  await visitor.decide("save");
  await visitor.until(() => document.cookie.includes("_ga="));
  assert.ok(visitor.asked.includes(GTAG) && !visitor.asked.includes(PIXEL));
});

holds("the keyboard alone is enough, and Escape refuses", {}, async (visitor) => {
  const { page } = visitor;
  await visitor.button("accept").wait();
  await page.evaluate(() => document.body.focus());
  const seen = [];
  for (let step = 0; step < 8 && !seen.includes("accept"); step++) {
    await page.keyboard.press("Tab");
    seen.push(await page.evaluate(() => document.activeElement.dataset?.action ?? document.activeElement.tagName));
  }
  assert.ok(seen.includes("refuse") && seen.includes("accept"), String(seen));
  await page.keyboard.press("Escape");
  await gone(visitor);
  await visitor.until(() => document.cookie.includes("eu-consent"));
  assert.equal((await visitor.choice())["p.analytics"], "0");
});

const POLICY = `default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic'; style-src 'none'; img-src *; connect-src *`;
holds("a strict content security policy is met, and the banner has its look", { headers: { "Content-Security-Policy": POLICY }, nonce: "r4nd0m" },
  async (visitor) => {
    await visitor.button("accept").wait();
    const position = await visitor.page.$eval("consent-widget", (host) => getComputedStyle(host).position);
    assert.equal(position, "fixed");
    await visitor.decide("accept");
    await visitor.until(() => document.cookie.includes("_ga="));
  });

holds("a gated frame asks nothing until it is allowed", {
  site: "cinema",
  body: '<main><iframe data-consent="filmhaus" data-src="https://films.example/film" title="Film" width="400" height="225"></iframe></main>',
}, async (visitor) => {
  await visitor.until(() => document.querySelector("consent-placeholder")?.shadowRoot.querySelector("button"));
  assert.deepEqual(visitor.asked, []);
  const height = await visitor.page.$eval("consent-placeholder", (made) => made.offsetHeight);
  assert.equal(height, 225 + 4); // with the frame's own border
  await visitor.page.evaluate(() => document.querySelector("consent-placeholder").shadowRoot.querySelector("[data-action=once]").click());
  await visitor.until(() => document.querySelector("iframe").src == "https://films.example/film");
  assert.equal("eu-consent" in await visitor.cookies(), false);
});

test("Firefox's own Global Privacy Control keeps advertising off", async () => {
  const private_ = await launch({ "privacy.globalprivacycontrol.enabled": true, "privacy.globalprivacycontrol.functionality.enabled": true });
  try {
    const visitor = await visit(private_);
    assert.equal(await visitor.page.evaluate(() => navigator.globalPrivacyControl), true);
    await visitor.button("customise").click();
    await visitor.button("save").wait();
    await visitor.page.$eval("input[name=analytics]", (input) => input.click());
    const answer = await visitor.decide("save");
    const { gpc, grants } = JSON.parse(Buffer.from(answer.receipt.split(".")[1], "base64url"));
    assert.deepEqual([gpc, grants], [true, { analytics: true, advertising: false }]);
    assert.ok(!visitor.asked.includes(PIXEL));
  } finally {
    await private_.close();
  }
});
