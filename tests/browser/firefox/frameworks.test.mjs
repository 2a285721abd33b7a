// Pages that others own, in Firefox: what Turbo, htmx, React and components do to the document under the widget.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launch, visit } from "./visitor.mjs";

const LIBRARIES = {
  "/turbo.js": "@hotwired/turbo/dist/turbo.es2017-umd.js",
  "/htmx.js": "htmx.org/dist/htmx.min.js",
  "/react.js": "react/umd/react.production.min.js",
  "/react-dom.js": "react-dom/umd/react-dom.production.min.js",
};
const FRAME = '<iframe data-consent="filmhaus" data-src="https://films.example/film" title="Film" width="400" height="225"></iframe>';

let browser;
const files = {};
before(async () => {
  for (const [path, file] of Object.entries(LIBRARIES))
    files[path] = await readFile(new URL("../../../node_modules/" + file, import.meta.url), "utf-8");
  browser = await launch();
});
after(() => browser.close());

/** A test on a page of the cinema that must have met no error. */
const holds = (name, options, work) => test(name, async () => {
  const visitor = await visit(browser, { site: "cinema", files, ...options });
  try {
    await work(visitor);
    assert.deepEqual(visitor.faults, []);
  } finally {
    await visitor.page.browserContext().close();
  }
});

const hasBanner = ({ until }) => until(() => document.querySelector("consent-widget[role=dialog]")?.offsetHeight);
const has = ({ until }, text) => until((text) => document.body?.innerText.includes(text), text);
const isOpen = ({ until }) => until(() => document.querySelector("iframe")?.src == "https://films.example/film");

holds("a page that Turbo brings back has a stand-in that works", {
  head: '<script src="/turbo.js"></script>',
  body: `<a id="go" href="/other">Other</a><main>${FRAME}</main>`,
  pages: { "/other": "<p>The other page</p>" },
}, async (visitor) => {
  await visitor.until(() => document.querySelector("consent-placeholder"));
  await visitor.page.click("#go");
  await has(visitor, "The other page");
  await hasBanner(visitor);
  await visitor.page.evaluate(() => history.back());
  await visitor.until(() => document.querySelectorAll("consent-placeholder").length == 1 && document.querySelectorAll("consent-widget").length == 1);
  await visitor.until(() => document.querySelector("consent-placeholder").shadowRoot?.querySelector("button"));
  await visitor.page.evaluate(() => document.querySelector("consent-placeholder").shadowRoot.querySelector("[data-action=once]").click());
  await isOpen(visitor);
});

holds("a body that htmx swaps keeps banner and way back", {
  head: '<script src="/htmx.js"></script>',
  body: '<main hx-boost="true" hx-target="body"><a id="next" href="/next">next</a></main>',
  pages: { "/next": '<main hx-boost="true" hx-target="body"><a id="last" href="/last">last</a></main>', "/last": "<p>Last page</p>" },
}, async (visitor) => {
  await visitor.page.click("#next");
  await visitor.until(() => document.querySelector("#last"));
  await hasBanner(visitor);
  await visitor.decide("refuse");
  await visitor.page.click("#last");
  await has(visitor, "Last page");
  await visitor.until(() => document.querySelector("[data-action=reopen]")?.offsetHeight);
});

const APP = `const e = React.createElement; window.problems = [];
function App() {
  const [count, set] = React.useState(0);
  window.add = () => set(count + 1);
  const [tag] = [...document.scripts].filter(({src}) => src.includes("/widget/"));
  return e("html", {lang: "en"},
    e("head", null, e("meta", {charSet: "utf-8"}), e("title", null, "Shop"),
      e("script", {src: "/react.js"}), e("script", {src: "/react-dom.js"}), e("script", {async: true, src: tag.getAttribute("src")})),
    e("body", null, e("main", null, e("p", null, "count " + count))));
}
window.hydrate = () => {
  window.first = document.documentElement;
  ReactDOM.hydrateRoot(document, e(App), {onRecoverableError: (fault) => problems.push(String(fault))});
};`;

holds("React takes over a whole document as its server wrote it", {
  head: '<script src="/react.js"></script><script src="/react-dom.js"></script>', body: "<main><p>count 0</p></main>",
}, async (visitor) => {
  await hasBanner(visitor);
  await visitor.page.evaluate(APP + "hydrate()");
  await visitor.until(() => window.add);
  await visitor.page.evaluate(() => add());
  await has(visitor, "count 1");
  assert.deepEqual(await visitor.page.evaluate(() => [problems, first == document.documentElement]), [[], true]);
  await hasBanner(visitor);
});

holds("an open shadow root is gated, and a document that is written anew has its banner", {
  body: '<main><div id="root"></div></main>',
}, async (visitor) => {
  await visitor.page.evaluate((frame) => void (document.querySelector("#root").attachShadow({ mode: "open" }).innerHTML = frame), FRAME);
  await visitor.until(() => document.querySelector("#root").shadowRoot.querySelector("consent-placeholder"));
  assert.deepEqual(visitor.asked, []);
  // The driver's own waiting ends with the document that it began in.
  const seen = await visitor.page.evaluate(async () => {
    document.open();
    document.write("<body><p>Written anew</p>");
    document.close();
    const banner = () => document.querySelector("consent-widget[role=dialog]");
    const until = async (holds) => {
      for (let frames = 0; !holds() && frames < 300; frames++) await new Promise(requestAnimationFrame);
      return !!holds();
    };
    const came = await until(() => banner()?.offsetHeight);
    document.querySelector("consent-widget [data-action=refuse]").click();
    return [came, await until(() => !banner() && consentWidget.decision), consentWidget.decision.action];
  });
  assert.deepEqual(seen, [true, true, "refuse_all"]);
});

holds("a withdrawal in one tab holds in the other", {}, async (visitor) => {
  await visitor.decide("accept");
  await visitor.until(() => consentWidget.allows("analytics"));
  const other = await visitor.beside();
  await visitor.leave(() => other.evaluate(() => consentWidget.withdraw()));
  assert.equal(await visitor.page.evaluate(() => consentWidget.allows("analytics")), false);
});
