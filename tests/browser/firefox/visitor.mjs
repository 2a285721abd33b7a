// A visitor's tab in Firefox. The site's pages and the vendors' answers are given here; the consent server is the real one.
import puppeteer from "puppeteer-core";

const { firefox, server, origin, scripts } = JSON.parse(process.env.CONSENT_FIREFOX);
const PATIENCE = 8_000;

/** Firefox by its own remote protocol (WebDriver BiDi), with these preferences. */
export const launch = (extraPrefsFirefox = {}) =>
  puppeteer.launch({ browser: "firefox", executablePath: firefox, headless: true, acceptInsecureCerts: true, extraPrefsFirefox });

/** A tab in a profile of its own, on a page that holds the tag. */
export async function visit(browser, { site = "shop", head = "", body = "<main>A page</main>", pages = {}, files = {}, headers = {}, nonce = "" } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const asked = [], posted = [], faults = [];
  // Vendors try which domain takes a cookie, and Firefox remarks on each that does not; so does a deletion.
  page.on("pageerror", (fault) => /rejected for invalid domain/.test(fault) || faults.push(String(fault)));
  page.on("console", (message) => message.text().startsWith("consent:") && faults.push(message.text()));
  page.on("response", (response) => response.request().method() == "POST" && posted.push([response.url(), response.status()]));
  const answer = (request) => {
    const url = new URL(request.url());
    if (url.origin == server) return request.continue();
    if (url.origin == origin) {
      const tag = `<script async src="${server}/widget/${site}.js"${nonce && ` nonce="${nonce}"`}></script>`;
      const html = (inner) =>
        `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>${head}${tag}</head><body>${inner}</body></html>`;
      const { [url.pathname]: inner } = { "/": body, ...pages };
      if (inner != null) return request.respond({ status: 200, contentType: "text/html; charset=utf-8", headers, body: html(inner) });
      if (files[url.pathname]) return request.respond({ status: 200, contentType: "text/javascript", body: files[url.pathname] });
      return request.respond({ status: 204, body: "" });
    }
    const place = url.host + url.pathname;
    asked.push(place);
    return request.respond(scripts[place] ? { status: 200, contentType: "text/javascript", body: scripts[place] } : { status: 204, body: "" });
  };
  const intercept = async (tab) => {
    await tab.setRequestInterception(true);
    // A tab that is closed meanwhile waits for no answer.
    tab.on("request", (request) => answer(request).catch((fault) => tab.isClosed() || faults.push(String(fault))));
  };
  await intercept(page);
  const visitor = {
    page, asked, posted, faults,
    button: (action) => page.locator(`consent-widget [data-action=${action}]`),
    until: (condition, ...given) => page.waitForFunction(condition, {}, ...given),
    cookies: async () => Object.fromEntries((await page.evaluate(() => document.cookie)).split("; ").filter(Boolean).map((pair) => pair.split(/=(.*)/s))),
    choice: async () => Object.fromEntries(new URLSearchParams((await visitor.cookies())["eu-consent"])),
    async open() {
      await page.goto(origin + "/");
      await visitor.until(() => window.consentWidget && document.querySelector("consent-widget > *"));
    },
    /** Another tab of the same visitor, on the same page. */
    async beside() {
      const tab = await context.newPage();
      await intercept(tab);
      await tab.goto(origin + "/");
      await tab.waitForFunction(() => window.consentWidget?.decision);
      return tab;
    },
    /** Press a button, and wait until the decision is recorded. */
    async decide(action) {
      const recorded = page.waitForResponse((response) => response.url().endsWith("/decisions") && response.request().method() == "POST");
      await visitor.button(action).click();
      return (await recorded).json();
    },
    /** Do what makes the page reload. */
    async leave(act) {
      await page.evaluate(() => void (window.before = true));
      await act();
      await visitor.until(() => !window.before && window.consentWidget && document.querySelector("consent-widget > *"));
    },
  };
  await visitor.open();
  return visitor;
}
