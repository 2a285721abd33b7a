// The panel only looks on. It wraps no function and asks no third party, so what it shows is what any page would see.
import { drawnCalls, drawnClaims, drawnPairs, drawnRequests, drawnTags, drawnVerdict, fill, section } from "./panel-view.js";

const panel = document.querySelector("#panel");
const { site, consentUrl } = panel.dataset;
const known = new Set([location.origin, new URL(consentUrl).origin]);

const seen = {
  requests: new Map(),   // address -> "asked" | "came" | "failed" | "blocked"
  conversions: [],       // {name, state}
  pixel: [],             // fbq calls: the vendor's script takes them out of the queue, so they are remembered here
  notice: null,
  claims: null,
  claimsOf: null,
  reachable: true,
};

const foreign = (address) => {
  const url = new URL(address, location.href);
  return url.protocol.startsWith("http") && !known.has(url.origin);
};

function note(address, state) {
  if (!address || !foreign(address)) return;
  if (seen.requests.get(address) === state || (state === "asked" && seen.requests.has(address))) return;
  seen.requests.set(address, state);
  draw();
}

function watchRequests() {
  new PerformanceObserver((list) => list.getEntries().forEach(({ name }) => note(name, "asked")))
    .observe({ type: "resource", buffered: true });
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) if (/^(SCRIPT|IMG|IFRAME)$/.test(node.nodeName)) note(node.src, "asked");
  }).observe(document, { childList: true, subtree: true });
  for (const element of document.querySelectorAll("script[src], img[src], iframe[src]")) note(element.src, "asked");
  // load and error do not bubble, but they can be captured; load never reaches the window.
  document.addEventListener("load", ({ target }) => note(target.src, "came"), true);
  document.addEventListener("error", ({ target }) => {
    note(target.src, "failed");
    if (target.src?.includes("/widget/")) unreachable();
  }, true);
  document.addEventListener("securitypolicyviolation", ({ blockedURI }) => note(blockedURI, "blocked"));
}

function unreachable() {
  seen.reachable = false;
  draw();
}

const decision = () => window.consentWidget?.decision ?? null;

function watchConversions() {
  const add = (name) => {
    seen.conversions.push({ name, state: state() });
    draw();
  };
  // Today's answer for the vendor that conversions are mapped to.
  const state = () => !decision() ? "held" : window.consentWidget.allows("google-ads") ? "sent" : "dropped";
  addEventListener("click", ({ target }) => {
    const name = target.closest?.("[data-conversion]")?.dataset.conversion;
    if (name) add(name);
  });
  document.addEventListener("shop:conversion", ({ detail }) => add(detail));
  document.addEventListener("consent:change", () => {
    for (const one of seen.conversions) if (one.state === "held") one.state = state();
  });
}

/** Calls that wait in fbq's queue, in order; once Meta's script has come it takes them out. */
function rememberPixel() {
  for (const call of window.fbq?.queue ?? []) if (!seen.pixel.includes(call)) seen.pixel.push(call);
}

function choice() {
  const value = /(?:^|; )eu-consent=([^;]*)/.exec(document.cookie)?.[1];
  return value ? [...new URLSearchParams(value)] : null;
}

async function fetchReceipt() {
  const url = window.consentWidget?.receiptUrl ?? null;
  if (url === seen.claimsOf) return;
  seen.claimsOf = url;
  seen.claims = null;
  if (url) {
    try {
      seen.claims = await (await fetch(url, { headers: { Accept: "application/json" } })).json();
    } catch {
      seen.claimsOf = null;
    }
  }
  draw();
}

async function fetchNotice() {
  try {
    seen.notice = await (await fetch(`${consentUrl}/v1/sites/${site}/notice`)).json();
    draw();
  } catch {
    unreachable();
  }
}

const parts = {
  verdict: section("", "verdict"),
  tags: section("Tags of this site"),
  requests: section("Asked of third parties"),
  layer: section("dataLayer"),
  pixel: section("fbq queue"),
  cookie: section("Cookie eu-consent"),
  device: section("On this device"),
  receipt: section("Receipt"),
  acts: section("Try"),
};

let drawn = "";

function draw() {
  rememberPixel();
  const layer = [...(window.dataLayer ?? [])];
  const pairs = choice();
  const now = JSON.stringify([
    layer.length, seen.pixel.length, document.cookie, [...seen.requests], seen.conversions, seen.claimsOf, seen.claims?.jti,
    decision(), seen.reachable, !!seen.notice, localStorage.length, document.documentElement.style.scrollPaddingBottom,
  ]);
  if (now === drawn) return;
  drawn = now;
  panel.style.setProperty("--covered", document.documentElement.style.scrollPaddingBottom || "0px");
  const vendors = seen.notice?.vendors ?? [];
  const allows = (key) => window.consentWidget?.allows(key);
  drawnVerdict(parts.verdict, decision(), seen.requests.size, vendors.filter(({ key }) => allows(key)).length, seen.reachable);
  drawnTags(parts.tags, vendors, decision(), allows, seen.conversions);
  drawnRequests(parts.requests, seen.requests);
  drawnCalls(parts.layer, layer, "Not there yet.", "gtag");
  drawnCalls(parts.pixel, seen.pixel, "Empty: nothing waits for the Meta pixel.", "fbq");
  drawnPairs(parts.cookie, pairs ?? [], "Not set: you have made no choice.");
  drawnPairs(parts.device, onDevice(), "No other cookie, no storage.");
  drawnClaims(parts.receipt, window.consentWidget?.receiptUrl, seen.claims, decision());
  for (const badge of document.querySelectorAll("[data-panel-count]")) badge.textContent = String(seen.requests.size);
}

function onDevice() {
  const cookies = document.cookie.split("; ").filter((pair) => pair && !pair.startsWith("eu-consent="));
  return [
    ...cookies.map((pair) => [pair.split("=")[0], "cookie"]),
    ...Object.keys(localStorage).map((name) => [name, "local storage"]),
    ...Object.keys(sessionStorage).map((name) => [name, "session storage"]),
  ];
}

function act(name, work) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
  button.addEventListener("click", work);
  return button;
}

function forget() {
  document.cookie = "eu-consent=;Path=/;Max-Age=0";
  localStorage.removeItem("eu-consent-receipt");
  location.reload();
}

function toggle(open) {
  document.documentElement.dataset.panel = open ? "open" : "shut";
  for (const button of document.querySelectorAll("[data-panel-toggle]")) button.setAttribute("aria-expanded", String(open));
}

function begin() {
  document.querySelector("[data-panel-body]").append(...Object.values(parts));
  fill(parts.acts, Object.assign(document.createElement("div"), { className: "acts" }));
  parts.acts.querySelector(".acts").append(
    act("Open the preferences", () => window.consentWidget?.showPreferences()),
    act("Withdraw", () => window.consentWidget?.withdraw()),
    act("Forget my choice", forget),
  );
  const wide = matchMedia("(min-width: 64rem)");
  toggle(wide.matches);
  wide.addEventListener("change", ({ matches }) => toggle(matches));
  for (const button of document.querySelectorAll("[data-panel-toggle]"))
    button.addEventListener("click", () => toggle(document.documentElement.dataset.panel !== "open"));
  watchRequests();
  watchConversions();
  for (const name of ["ready", "shown", "change"]) document.addEventListener(`consent:${name}`, () => draw());
  fetchNotice();
  draw();
  // Queues give no sign when they grow, and wrapping them could break what is on show.
  setInterval(() => {
    draw();
    fetchReceipt();
  }, 250);
}

begin();
