"""Every vendor of the catalogue, in every state of a choice: exactly the expected requests, and nothing left behind.

A visit stands for a state of all vendors at once.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from consent_server.sites import catalogue
from consent_server.sites.rules_notice import FIRST_STORAGE
from tests.support.vendors import IDS

from .shop import Shop

VENDORS = catalogue.vendors()
PURPOSES = ("analytics", "advertising", "functional", "support", "media")
GTAG = "www.googletagmanager.com/gtag/js"
WEBINAR = "01234567-89ab-cdef-0123-456789abcdef"

# Host and path of what a granted vendor asks for, the calls of the page's own code among it.
ASKED = {
    "google-analytics": {GTAG, "region1.google-analytics.com/g/collect"},
    "google-tag-manager": {"www.googletagmanager.com/gtm.js", "www.googletagmanager.com/a"},
    "google-ads": {GTAG, "www.googleadservices.com/pagead/conversion/"},
    "google-floodlight": {GTAG, "ad.doubleclick.net/activity"},
    "meta-pixel": {"connect.facebook.net/en_US/fbevents.js", "www.facebook.com/tr/"},
    "brevo": {"cdn.brevo.com/js/sdk-loader.js", "in-automate.brevo.com/p", "in-automate.brevo.com/track"},
    "drift": {
        f"js.driftt.com/include/BUCKET/{IDS['drift']}.js",
        "metrics.api.drift.com/monitoring",
        "event.api.drift.com/track",
    },
    "sentry": {f"js.sentry-cdn.com/{IDS['sentry']}.min.js", "o1.ingest.sentry.io/api/1/envelope/"},
    "zendesk": {
        "static.zdassets.com/ekr/snippet.js",
        f"ekr.zdassets.com/compose/{IDS['zendesk']}",
        "shop.zendesk.com/frontendevents",
    },
    "microsoft-uet": {"bat.bing.com/bat.js", "bat.bing.com/action/0"},
    "microsoft-clarity": {f"www.clarity.ms/tag/{IDS['microsoft-clarity']}", "k.clarity.ms/collect"},
    "typeform": {"embed.typeform.com/next/embed.js", "form.typeform.com/to/abc123"},
    "livestorm": {f"app.livestorm.co/p/{WEBINAR}/form"},
    "youtube": {"www.youtube-nocookie.com/embed/aBcDeFgHiJk"},
    "google-maps": {"www.google.com/maps/embed"},
}

PAGE = f"""<main>
<iframe data-consent="youtube" data-src="https://www.youtube-nocookie.com/embed/aBcDeFgHiJk" title="Film"></iframe>
<iframe data-consent="google-maps" data-src="https://www.google.com/maps/embed?pb=x" title="Map"></iframe>
<iframe data-consent="livestorm" data-src="https://app.livestorm.co/p/{WEBINAR}/form" title="Webinar"></iframe>
<div data-consent="typeform" style="height: 300px"><template data-consent="typeform">
<div data-tf-live="abc123"></div><script src="https://embed.typeform.com/next/embed.js"></script>
</template></div>
</main>"""

# What a site's own code calls, as the vendors tell it to, without asking whether the visitor has chosen.
CALLS = """said => {
  gtag("event", said);
  consentWidget.conversion("signup", { transaction_id: said });
  fbq("trackCustom", said);
  (window.Brevo = window.Brevo || []).push(["track", said]);
  (window.uetq = window.uetq || []).push("event", said, {});
  clarity("event", said);
  drift.track(said);
  zE("messenger", said);
  Sentry.captureException(new Error(said + " by hand"));
  dispatchEvent(new ErrorEvent("error", { error: new Error(said) }));
}"""

OWN = """() => {
  for (const name of ["uid", "session", "cart", "_gallery", "drift", "sentry", "__zl"]) {
    document.cookie = `${name}=mine;Path=/;Domain=example.co.uk`;
    localStorage.setItem(name, "mine");
    sessionStorage.setItem(name, "mine");
  }
}"""
MINE = {"uid", "session", "cart", "_gallery", "drift", "sentry", "__zl"}

SEED = """seeds => {
  for (const [storage, name] of seeds) {
    if (storage != "cookie") window[storage + "Storage"].setItem(name, "vendor");
    else for (const where of [";Domain=example.co.uk", ";Domain=b.example.co.uk", "", ";Secure"])
      document.cookie = `${name}=vendor;Path=/;Max-Age=9999${where}`;
  }
}"""


def first_party(key: str) -> list[tuple[str, str]]:
    """Storage and name of what this vendor leaves on the site's own host."""
    own = [one for one in VENDORS[key]["cookies"] if "host" not in one and one["storage"] in FIRST_STORAGE]
    return [(one["storage"], one["name"].replace("*", "x1")) for one in own]


def granted_by(*purposes: str) -> set[str]:
    """The vendors that a grant of these purposes alone lets load."""
    return {key for key in IDS if set(VENDORS[key]["purposes"]) & set(purposes)}


def asked_by(vendors: set[str]) -> set[str]:
    """What these ask for together."""
    return {one for key in vendors for one in ASKED[key]}


@dataclass
class Seen:
    """What left the browser in one state, what stayed in it, and what vendors were told in it."""

    requests: set[str] = field(default_factory=set)
    said: dict[str, set[str]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    told: list[list[Any]] = field(default_factory=list)

    def note(self, shop: Shop) -> None:
        """Add what has been asked for by now."""
        for one in shop.vendors.requests:
            self.requests.add(one.host + one.path)
            word = one.query.get("said") or one.query.get("en") or one.query.get("ev") or one.query.get("id") or ""
            self.said.setdefault(one.host, set()).add(word)

    def by_vendor(self) -> dict[str, set[str]]:
        """What was asked of each vendor of which anything was."""
        asked = {key: places & self.requests for key, places in ASKED.items()}
        return {key: places for key, places in asked.items() if places}


def browse(shop: Shop, seen: Seen, expected: set[str]) -> Seen:
    """Three pages in this state, each with calls of its own code."""
    for path in ("/", "/product", "/thanks"):
        if not shop.page.url.endswith(path):
            shop.serve(PAGE, path=path)
            shop.open(path)
        shop.page.evaluate(CALLS, "late")
        for _ in range(40):
            shop.settle()
            seen.note(shop)
            if expected <= seen.requests:
                break
        if path == "/" and not seen.told:
            seen.told = shop.page.evaluate("window.told ?? []")
    return seen


def arrive(visit: Callable[..., Shop]) -> Shop:
    """A new visitor on a page whose code has called every vendor already."""
    shop = visit("every")
    shop.serve(PAGE)
    shop.open()
    shop.page.evaluate(CALLS, "early")
    return shop


@pytest.fixture(scope="module")
def before(visit_once: Callable[..., Shop]) -> Seen:
    """Three pages before any choice."""
    return browse(arrive(visit_once), Seen(), set())


@pytest.fixture(scope="module")
def refused(visit_once: Callable[..., Shop]) -> Seen:
    """Three pages after a refusal."""
    shop = arrive(visit_once)
    shop.refuse_all()
    return browse(shop, Seen(), set())


@pytest.fixture(scope="module")
def alone(visit_once: Callable[..., Shop]) -> dict[str, Seen]:
    """Three pages with one purpose granted, for each purpose."""
    seen = {}
    for purpose in PURPOSES:
        shop = arrive(visit_once)
        shop.choose(**{purpose: True})
        seen[purpose] = browse(shop, Seen(), asked_by(granted_by(purpose)))
    return seen


@pytest.fixture(scope="module")
def agreed(visit_once: Callable[..., Shop]) -> tuple[Seen, Seen]:
    """Three pages with everything granted, and three after the withdrawal that followed."""
    shop = arrive(visit_once)
    shop.accept_all()
    seen, left = browse(shop, Seen(), asked_by(set(IDS))), Seen()
    shop.page.evaluate(OWN)
    shop.page.evaluate(SEED, [one for key in IDS for one in first_party(key)])
    shop.vendors.forget()
    shop.withdraw()
    left.told = json.loads(shop.page.evaluate("sessionStorage.told"))
    left.kept = {str(cookie.get("name")) for cookie in shop.context.cookies()} | set(shop.storage())
    return seen, browse(shop, left, set())


def test_every_vendor_of_the_catalogue_is_here() -> None:
    assert IDS.keys() == ASKED.keys() == VENDORS.keys()


def test_the_catalogue_names_every_host_that_is_asked() -> None:
    for key, asked in ASKED.items():
        patterns = [re.escape(host).replace(r"\*", r"([\w-]+\.)*[\w-]+") for host in VENDORS[key]["hosts"]]
        for one in asked:
            assert any(re.fullmatch(pattern, one.partition("/")[0]) for pattern in patterns), one


def test_before_a_choice_none_is_asked(before: Seen) -> None:
    assert before.by_vendor() == {}


def test_after_a_refusal_none_is_asked(refused: Seen) -> None:
    assert refused.by_vendor() == {}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_purpose_alone_opens_its_own_vendors_and_no_other(alone: dict[str, Seen], purpose: str) -> None:
    granted = granted_by(purpose)
    assert granted
    # Google's tag is one script for two vendors: what is asked of it is told apart by what else each asks for.
    shared = asked_by(granted)
    assert all(ASKED[key] - shared for key in IDS.keys() - granted)
    assert {key: asked - shared for key, asked in alone[purpose].by_vendor().items() if asked - shared} == {}
    assert {key: alone[purpose].requests & ASKED[key] for key in granted} == {key: ASKED[key] for key in granted}


def test_a_grant_of_everything_opens_each(agreed: tuple[Seen, Seen]) -> None:
    assert agreed[0].by_vendor() == ASKED


def test_after_a_withdrawal_none_is_asked_and_nothing_of_it_is_left(agreed: tuple[Seen, Seen]) -> None:
    left = agreed[1]
    assert left.by_vendor() == {}
    for key in IDS:
        assert not {name for _, name in first_party(key)} & left.kept, key


def test_nothing_else_is_asked_in_any_state(
    before: Seen, refused: Seen, alone: dict[str, Seen], agreed: tuple[Seen, Seen]
) -> None:
    assert before.requests == refused.requests == agreed[1].requests == set()
    assert agreed[0].requests == asked_by(set(IDS))
    for purpose, seen in alone.items():
        assert seen.requests == asked_by(granted_by(purpose)), purpose


def test_after_a_withdrawal_the_site_has_all_of_its_own(agreed: tuple[Seen, Seen]) -> None:
    assert agreed[1].kept == MINE | {"eu-consent", "told"}


HEARS = {
    "google-analytics": "region1.google-analytics.com",
    "google-ads": "www.googleadservices.com",
    "google-floodlight": "ad.doubleclick.net",
    "meta-pixel": "www.facebook.com",
    "brevo": "in-automate.brevo.com",
    "microsoft-uet": "bat.bing.com",
    "microsoft-clarity": "k.clarity.ms",
    "drift": "event.api.drift.com",
    "zendesk": "shop.zendesk.com",
}


def test_what_was_called_before_the_grant_arrives_after_it(agreed: tuple[Seen, Seen]) -> None:
    for key, host in HEARS.items():
        assert {"early", "late"} <= agreed[0].said[host], key


def test_errors_before_the_grant_are_not_sent(agreed: tuple[Seen, Seen]) -> None:
    assert agreed[0].said["o1.ingest.sentry.io"] == {"late", "late by hand"}


def test_each_vendor_is_told_of_the_grant_in_its_own_words(agreed: tuple[Seen, Seen], alone: dict[str, Seen]) -> None:
    granted = {"ad_Storage": "granted", "analytics_Storage": "granted"}
    told = [["clarity", granted], ["uet", "default", "denied"], ["uet", "update", "granted"]]
    assert sorted(agreed[0].told, key=repr) == sorted([*told, ["zendesk", "cookies", "all"]], key=repr)
    # The order within one vendor counts: silence is a grant to Microsoft.
    assert [one for one in agreed[0].told if one[0] == "uet"] == told[1:]
    # Clarity's advertising cookies are not for a purpose of measurement.
    assert alone["analytics"].told == [["clarity", {"ad_Storage": "denied", "analytics_Storage": "granted"}]]


def test_each_vendor_is_told_of_the_withdrawal_in_its_own_words(agreed: tuple[Seen, Seen]) -> None:
    denied = {"ad_Storage": "denied", "analytics_Storage": "denied"}
    last = {one[0]: one for one in agreed[1].told}
    assert last == {
        "clarity": ["clarity", denied],
        "uet": ["uet", "update", "denied"],
        "zendesk": ["zendesk", "cookies", "none"],
        "drift": ["drift", "hide"],
        "sentry": ["sentry", "close"],
    }
    assert ["drift", "reset"] in agreed[1].told
