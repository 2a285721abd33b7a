"""Stand-ins for the vendors' scripts that do what the real ones do to a page: read queues, set cookies, send beacons.

They are harder to stop than the real ones: cookies are written again when the page goes away, unless the vendor's own
switch is thrown.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Route

from .fake_tags import BEACON, SET_COOKIE, STAND_INS

GTAG = f"""(() => {{
{SET_COOKIE}{BEACON}
const consent = {{}};
const configured = [];
const granted = (type) => consent[type] !== "denied";
const cookies = (id) => {{
  if (window["ga-disable-" + id]) return;
  if (id.startsWith("G-") && granted("analytics_storage")) {{
    setCookie("_ga");
    setCookie("_ga_" + id.slice(2));
  }}
  if (id.startsWith("AW-") && granted("ad_storage")) {{
    setCookie("_gcl_au");
    try {{ localStorage.setItem("_gcl_ls", "fake"); }} catch {{ /* blocked */ }}
  }}
}};
const gcs = () => "G1" + +granted("ad_storage") + +granted("analytics_storage");
const collect = (id, name, more = "") =>
  window["ga-disable-" + id] ||
  beacon(`https://region1.google-analytics.com/g/collect?tid=${{id}}&en=${{name}}&gcs=${{gcs()}}${{more}}`);
const read = (entry) => {{
  // The real script ignores arrays without a word.
  if (Object.prototype.toString.call(entry) !== "[object Arguments]") return;
  const [command, target, params = {{}}] = entry;
  if (command === "consent") Object.assign(consent, params);
  if (command === "config") {{
    configured.push(target);
    cookies(target);
    if (target.startsWith("G-") && params.send_page_view !== false) collect(target, "page_view");
  }}
  if (command === "event" && target === "conversion") {{
    const [account] = params.send_to.split("/");
    cookies(account);
    const floodlight = account.startsWith("DC-");
    const place = floodlight ? "ad.doubleclick.net/activity" : "www.googleadservices.com/pagead/conversion/";
    beacon(`https://${{place}}?send_to=${{encodeURIComponent(params.send_to)}}` +
      `&value=${{params.value ?? ""}}&currency=${{params.currency ?? ""}}&id=${{params.transaction_id ?? ""}}`);
  }} else if (command === "event") {{
    for (const id of configured.filter((one) => one.startsWith("G-"))) collect(id, target);
  }}
}};
const layer = window.dataLayer;
const push = layer.push;
layer.forEach(read);
layer.push = (...items) => {{
  const length = push.apply(layer, items);
  items.forEach(read);
  return length;
}};
addEventListener("pagehide", () => configured.forEach(cookies));
}})();"""

GTM = f"""(() => {{
{BEACON}
const read = (entry) => entry.event === "gtm.js" && entry["gtm.start"] && beacon("https://www.googletagmanager.com/a?ev=gtm.js");
window.dataLayer.forEach(read);
}})();"""

FBEVENTS = f"""(() => {{
{SET_COOKIE}{BEACON}
const fbq = window.fbq;
const pixels = [];
let revoked = false;
fbq.callMethod = function (command, name, more) {{
  if (command === "consent") revoked = name === "revoke";
  if (command === "init") {{
    pixels.push(name);
    setCookie("_fbp");
  }}
  if (command === "track" || command === "trackCustom")
    for (const id of pixels) if (!revoked) beacon(`https://www.facebook.com/tr/?id=${{id}}&ev=${{name}}`);
}};
while (fbq.queue.length) fbq.callMethod.apply(fbq, fbq.queue.shift());
addEventListener("pagehide", () => revoked || pixels.forEach(() => setCookie("_fbp")));
}})();"""

FRAME = '<!doctype html><html lang="en"><title>Film</title><main><h1>A film</h1></main>'

SCRIPTS = {
    ("www.googletagmanager.com", "/gtag/js"): GTAG,
    ("www.googletagmanager.com", "/gtm.js"): GTM,
    ("connect.facebook.net", "/en_US/fbevents.js"): FBEVENTS,
    ("films.example", "/one.js"): "(window.order ??= []).push('one.js');",
    ("films.example", "/two.js"): "(window.order ??= []).push('two.js');",
    **{
        (address.partition("/")[0], "/" + address.partition("/")[2]): script
        for stand_in in STAND_INS.values()
        for address, script in stand_in.scripts.items()
    },
}


@dataclass(frozen=True)
class Request:
    """One request that left for a vendor."""

    host: str
    path: str
    query: dict[str, str]


@dataclass
class Vendors:
    """Answers for every host that is not ours, and keeps what was asked, in order."""

    requests: list[Request] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        """What the vendor would send back."""
        url = urlsplit(route.request.url)
        # Drift's address tells the time, to five minutes.
        path = re.sub(r"^/include/[0-9]{13}/", "/include/BUCKET/", url.path)
        self.requests.append(Request(url.netloc, path, dict(parse_qsl(url.query))))
        script = SCRIPTS.get((url.netloc, path))
        if script is not None:
            route.fulfill(content_type="text/javascript", body=script)
        elif route.request.resource_type == "document":
            route.fulfill(content_type="text/html", body=FRAME)
        else:
            route.fulfill(status=204)

    def forget(self) -> None:
        """Start the log anew."""
        self.requests.clear()

    @property
    def scripts(self) -> list[str]:
        """The scripts that were loaded, by host and path, sorted: between vendors no order is promised."""
        return sorted(one.host + one.path for one in self.requests if (one.host, one.path) in SCRIPTS)

    @property
    def views(self) -> list[str]:
        """The page views that arrived: the measurement id or pixel of each, sorted."""
        google = [one.query["tid"] for one in self.requests if one.query.get("en") == "page_view"]
        meta = [one.query["id"] for one in self.requests if one.query.get("ev") == "PageView"]
        return sorted(google + meta)

    @property
    def conversions(self) -> list[dict[str, str]]:
        """The conversions that arrived at Google Ads."""
        return [one.query for one in self.requests if one.path == "/pagead/conversion/"]

    @property
    def hosts(self) -> set[str]:
        """Who was asked."""
        return {one.host for one in self.requests}
