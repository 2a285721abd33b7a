"""The template for Tag Manager in a page: a container that ran before the widget, and loads it."""

import json
from typing import Any

from playwright.sync_api import expect

from tests.support.tag_manager import read_template

from .shop import EVERYTHING, Shop, signals

# A container as a page meets it: it handles what is in the layer and what is pushed, in order and once each, keeps
# Consent Mode's state for its tags, and says so when the document is parsed and when it is loaded. What its own tags
# would do with an event is in `handled`.
CONTAINER = """
window.dataLayer = window.dataLayer || [];
window.google_tag_manager = {"GTM-SHOP12": {}};
window.handled = [];
window.state = {};
const handle = (item) => {
  if (Object.prototype.toString.call(item) === "[object Arguments]") {
    const [command, action, values] = item;
    if (command === "consent")
      for (const [type, value] of Object.entries(values))
        if (/_/.test(type) && type !== "wait_for_update") state[type] = value;
    return;
  }
  if (item.event) handled.push([item.event, item.consent ?? null, state.analytics_storage]);
};
const push = dataLayer.push;
dataLayer.push = (...items) => {
  const length = push.apply(dataLayer, items);
  items.forEach(handle);
  return length;
};
const apis = {
  gtagSet: () => {},
  makeNumber: Number,
  logToConsole: (...words) => console.log(...words),
  queryPermission: () => true,
  setDefaultConsentState: ({region, wait_for_update, ...types}) => region || Object.assign(state, types),
  injectScript: (address, loaded, failed) => {
    const script = document.createElement("script");
    Object.assign(script, {async: true, src: address, onload: loaded, onerror: failed});
    document.head.append(script);
  },
};
"""
EVENTS = """
dataLayer.push({event: "gtm.js"});
addEventListener("DOMContentLoaded", () => dataLayer.push({event: "gtm.dom"}));
addEventListener("load", () => dataLayer.push({event: "gtm.load"}));
"""


def container(shop: Shop) -> str:
    """The page's own snippet with the template's tag in it, fired first."""
    code = read_template()["SANDBOXED_JS_FOR_WEB_TEMPLATE"]
    fields = {"server": shop.server.url, "site": shop.site, "waitForUpdate": 500}
    data = f"{{...{json.dumps(fields)}, gtmOnSuccess: () => {{ window.fired = true; }}, gtmOnFailure: () => {{}}}}"
    run = f"((require, data) => {{{code}}})((name) => apis[name], {data});"
    return f"<script>(() => {{{CONTAINER}{run}{EVENTS}}})()</script>"


def times(shop: Shop, event: str) -> int:
    """How often the container handled an event."""
    handled: list[list[Any]] = shop.page.evaluate("window.handled")
    return [name for name, *_ in handled].count(event)


def test_the_template_denies_and_the_banner_it_loads_grants(shop: Shop) -> None:
    shop.serve(head=container(shop))
    shop.open()
    shop.settle()
    assert shop.page.evaluate("[window.fired, window.state]") == [True, signals()]
    expect(shop.banner).to_be_visible()
    assert shop.vendors.requests == []
    shop.page.evaluate("dataLayer.push({event: 'opened'})")
    shop.accept_all()
    assert shop.page.evaluate("window.state") == signals(*EVERYTHING)
    # A container that runs already has handled what came before the choice: nothing comes twice.
    assert {event: times(shop, event) for event in ("gtm.js", "gtm.dom", "gtm.load", "opened")} == {
        "gtm.js": 1, "gtm.dom": 1, "gtm.load": 1, "opened": 1,
    }  # fmt: skip
    assert not any("gtm.js" in sent.path for sent in shop.vendors.requests)
