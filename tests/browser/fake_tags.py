"""Stand-ins for the tags that are one script: they read their queue, set their cookie, and tell what they were told."""

from tests.support.vendors import IDS

# Vendors set their cookies on the highest domain that the browser lets them.
SET_COOKIE = """
const setCookie = (name) => {
  const labels = location.hostname.split(".");
  for (let from = labels.length - 1; from >= 0; from--) {
    const domain = labels.slice(from).join(".");
    try { document.cookie = `${name}=fake;Path=/;Max-Age=7776000;Domain=${domain}`; } catch { return; }
    if (document.cookie.includes(name + "=fake")) return;
  }
};
"""
# Pictures are asked for even while a page goes away, and a page's policy counts them.
BEACON = "const beacon = (url) => { new Image().src = url; };"
# `told` is what the page's consent calls said; it outlives the reload that a withdrawal ends in.
TOLD = """
const told = (...said) => (window.told ??= []).push(said);
addEventListener("pagehide", () => window.told && sessionStorage.setItem("told", JSON.stringify(window.told)));
"""

BREVO = """
let key;
const read = ([name, given]) => {
  if (name === "init") key = given.client_key;
  // What comes before it knows whose it is, it cannot send.
  if (!key) return;
  setCookie("sib_cuid");
  beacon(`https://in-automate.brevo.com/${name === "init" ? "p" : name}?key=${key}&said=${given}`);
};
const waiting = [...window.Brevo];
window.Brevo.push = (...calls) => calls.forEach(read);
waiting.forEach(read);
addEventListener("pagehide", () => setCookie("sib_cuid"));
"""

CLARITY = """
let consent = {};
const { q } = window.clarity;
window.clarity = (name, given) => {
  if (name !== "consentv2") return beacon(`https://k.clarity.ms/collect?said=${given}`);
  consent = given;
  told("clarity", given);
};
q.forEach((call) => window.clarity(...call));
const work = () => consent.analytics_Storage === "granted" && setCookie("_clck");
work();
beacon(`https://k.clarity.ms/collect?consent=${consent.analytics_Storage}`);
addEventListener("pagehide", work);
"""

UET = """
window.UET = class {
  constructor({ ti, q }) {
    this.ti = ti;
    this.ads = "granted";
    this.push(...q);
    addEventListener("pagehide", () => this.work());
  }
  work() { if (this.ads === "granted") setCookie("_uetsid"); }
  push(...words) {
    while (words.length) {
      const word = words.shift();
      if (word === "consent") {
        const act = words.shift();
        this.ads = words.shift().ad_storage;
        told("uet", act, this.ads);
      } else {
        const name = word === "event" ? words.splice(0, 2)[0] : word;
        this.work();
        beacon(`https://bat.bing.com/action/0?ti=${this.ti}&said=${name}&asc=${this.ads}`);
      }
    }
  }
};
"""

DRIFT = """
let quiet = false;
const { drift } = window;
const read = ([method, ...given]) => {
  if (method === "reset") quiet = true;
  if (method === "reset" || method === "hide") told("drift", method);
  if (method === "track") beacon(`https://event.api.drift.com/track?said=${given[0]}`);
};
setCookie("driftt_aid");
beacon("https://metrics.api.drift.com/monitoring");
drift.splice(0).forEach(read);
for (const method of ["track", "reset", "hide"]) drift[method] = (...given) => read([method, ...given]);
addEventListener("pagehide", () => quiet || setCookie("driftt_aid"));
"""

ZENDESK = """
const key = new URL(document.getElementById("ze-snippet").src).searchParams.get("key");
let cookies = "all";
const work = () => cookies === "all" && setCookie("__zlcmid");
window.zE = (command, name, value) => {
  if (command === "messenger:set") told("zendesk", name, cookies = value);
  else beacon(`https://shop.zendesk.com/frontendevents?said=${name}`);
};
work();
beacon(`https://ekr.zdassets.com/compose/${key}`);
addEventListener("pagehide", work);
"""

SENTRY = """
let closed = false;
const send = (error) => closed || beacon(`https://o1.ingest.sentry.io/api/1/envelope/?said=${error.message}`);
Object.assign((window.Sentry ??= {}), {
  onLoad: (work) => work(),
  captureException: send,
  close() { closed = true; told("sentry", "close"); },
});
addEventListener("error", ({ error }) => send(error));
"""

TYPEFORM = """
for (const box of document.querySelectorAll("[data-tf-live]")) {
  const frame = document.createElement("iframe");
  frame.src = "https://form.typeform.com/to/" + box.dataset.tfLive;
  frame.title = "A form";
  box.append(frame);
}
sessionStorage.setItem("tf-embed", "fake");
"""


def _wrapped(work: str) -> str:
    return f"(() => {{{SET_COOKIE}{BEACON}{TOLD}{work}}})();"


TAGS = {
    ("cdn.brevo.com", "/js/sdk-loader.js"): _wrapped(BREVO),
    ("www.clarity.ms", f"/tag/{IDS['microsoft-clarity']}"): _wrapped(CLARITY),
    ("bat.bing.com", "/bat.js"): _wrapped(UET),
    ("js.driftt.com", f"/include/BUCKET/{IDS['drift']}.js"): _wrapped(DRIFT),
    ("static.zdassets.com", "/ekr/snippet.js"): _wrapped(ZENDESK),
    ("js.sentry-cdn.com", f"/{IDS['sentry']}.min.js"): _wrapped(SENTRY),
    ("embed.typeform.com", "/next/embed.js"): _wrapped(TYPEFORM),
}
