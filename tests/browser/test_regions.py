"""What runs, what is asked, what is kept and what is counted follow from the rule of the place that a visitor is in."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .shop import EVERYTHING as EVERY_TYPE
from .shop import SIGNAL, Shop, signals
from .site_files import PIXEL

MATOMO = "shop.matomo.cloud"
META = "www.facebook.com"
EVERYTHING = {MATOMO, META}
Visit = Callable[..., Shop]

# Place, signal: which vendors run before anybody does anything, and whether there is a banner.
BEFORE = [
    (None, False, set(), True),
    (None, True, set(), True),
    ("T1", False, set(), True),
    ("DE", False, set(), True),
    ("GB", False, {MATOMO}, True),
    ("GB", True, set(), True),
    ("US-CA", False, EVERYTHING, False),
    ("US", False, EVERYTHING, False),
    ("US-CA", True, set(), False),
    ("US-UT", False, EVERYTHING, True),
    ("US-UT", True, set(), False),
    ("JP", False, EVERYTHING, False),
    ("JP", True, set(), False),
]
AMERICAN = "Your Privacy Choices"
# The lasting link where there is no banner: the words of the place, of the region, else of the language.
LINKS = {"US-CA": AMERICAN, "US": AMERICAN, "US-UT": "Privacy", "JP": "Cookie settings"}


def at(visit: Visit, place: str | None, signal: bool = False, site: str = "world") -> Shop:
    """A visitor of the site in a place, on its first page."""
    headers = {"X-Place": place} if place else {}
    shop = visit(site=site, init=SIGNAL if signal else "", extra_http_headers=headers).open()
    shop.settle()
    return shop


@pytest.mark.parametrize(("place", "signal", "running", "banner"), BEFORE)
def test_before_a_choice(visit: Visit, place: str | None, signal: bool, running: set[str], banner: bool) -> None:
    shop = at(visit, place, signal)
    assert shop.vendors.hosts & EVERYTHING == running
    expect(shop.banner).to_be_visible(visible=banner)
    if not banner:
        expect(shop.way_back).to_have_text(LINKS[place or ""])
    allowed = shop.page.evaluate("['matomo', 'meta-pixel'].map((key) => consentWidget.allows(key))")
    assert allowed == [MATOMO in running, META in running]
    # Nothing that runs before a choice is one: no identifier, no time finer than the day.
    choice = shop.choice()
    assert choice.keys() <= {"v", "t", "n", "g", "p.analytics", "p.advertising"}
    assert int(choice.get("t", "0")) % 86_400 == 0
    assert bool(choice) == (signal and place in ("US-CA", "US-UT", "JP"))


@pytest.mark.parametrize(
    ("place", "signal", "granted"),
    [("DE", False, None), ("US-CA", False, EVERY_TYPE), ("US-CA", True, ()), ("US", False, EVERY_TYPE)],
)
def test_consent_mode_says_what_runs_before_google_s_script_does(
    visit: Visit, place: str, signal: bool, granted: tuple[str, ...] | None
) -> None:
    # In advanced mode Google's script is there in any case: what it is told decides.
    shop = at(visit, place, signal, site="states")
    told = [call for call in shop.data_layer() if call[0] == "consent"]
    assert told[0][:2] == ["consent", "default"]
    assert told[0][2] == signals() | {"wait_for_update": 500}
    assert told[1:2] == ([] if granted is None else [["consent", "update", signals(*granted)]])


def test_the_signal_is_an_opt_out_that_is_recorded_once_and_shown(visit: Visit) -> None:
    before = len(at(visit, "DE").server.receipts("world"))
    shop = at(visit, "US-CA", signal=True)
    receipts = shop.server.receipts("world")
    assert len(receipts) == before + 1
    claims = receipts[-1]
    assert (claims["action"], claims["method"], claims["rule"], claims["gpc"]) == ("gpc", "signal", "opt-out", True)
    assert (claims["grants"], claims["vendors"]) == ({}, {})
    assert claims["objections"]["purposes"] == {"analytics": True, "advertising": True}
    assert "sub" not in claims
    expect(shop.page.locator("consent-widget")).to_contain_text("Opt-Out Request Honored")
    expect(shop.way_back).to_have_text(AMERICAN)
    expect(shop.way_back.locator("svg")).to_be_visible()
    shop.come_back()
    assert shop.vendors.hosts & EVERYTHING == set()
    assert len(shop.server.receipts("world")) == before + 1
    expect(shop.page.locator("consent-widget")).to_contain_text("Opt-Out Request Honored")


def test_a_visitor_opts_out_and_in_again(visit: Visit) -> None:
    shop = at(visit, "US-NY")
    assert shop.cookies() >= {"_pk_id.1.1fff", "_fbp"}
    shop.open_preferences()
    for key in ("analytics", "advertising"):
        expect(shop.page.locator(f'consent-widget input[name="{key}"]')).to_be_checked()
    claims = shop.leave(lambda: shop.button("refuse").click())
    assert (claims["action"], claims["rule"], claims["grants"]) == ("refuse_all", "opt-out", {})
    assert claims["objections"]["vendors"] == {"matomo": True, "meta-pixel": True}
    assert "sub" not in claims
    assert shop.cookies() == {"eu-consent"}
    shop.come_back()
    assert shop.vendors.hosts & EVERYTHING == set()
    shop.open_preferences()
    expect(shop.page.locator("consent-widget dialog section").first).to_be_visible()
    expect(shop.page.locator("consent-widget dialog")).to_contain_text("Objected")
    claims = shop.accept_all()
    assert claims["objections"]["purposes"] == {"analytics": False, "advertising": False}
    assert "sub" not in claims
    assert "i" not in shop.choice()
    shop.come_back()
    assert shop.vendors.hosts & EVERYTHING == EVERYTHING


def test_who_was_told_is_told_once_and_decides_nothing(visit: Visit) -> None:
    shop = at(visit, "US-UT")
    before = len(shop.server.receipts("world"))
    expect(shop.banner).to_contain_text("How this site uses cookies")
    shop.button("accept").click()
    shop.settle()
    expect(shop.banner).to_have_count(0)
    assert set(shop.choice()) == {"v", "n"}
    shop.come_back()
    expect(shop.banner).to_have_count(0)
    assert shop.vendors.views == [PIXEL]
    assert len(shop.server.receipts("world")) == before
    assert shop.page.evaluate("consentWidget.decision") is None


def test_statistics_by_objection_beside_a_question(visit: Visit) -> None:
    shop = at(visit, "GB")
    expect(shop.banner).to_contain_text("On without consent until you object")
    claims = shop.choose(analytics=True, advertising=False)
    assert (claims["grants"], claims["objections"]["purposes"]) == ({"advertising": False}, {"analytics": False})
    assert "sub" not in claims
    assert (shop.grants(), "i" in shop.choice()) == ({"p.analytics": "1", "p.advertising": "0"}, False)
    shop.open_preferences()
    shop.switch("analytics", False)
    claims = shop.leave(lambda: shop.button("save").click())
    assert claims["objections"]["purposes"] == {"analytics": True}
    shop.come_back()
    assert shop.vendors.hosts & EVERYTHING == set()


def test_what_runs_by_a_rule_is_no_consent_elsewhere_and_a_refusal_is_one_everywhere(visit: Visit) -> None:
    shop = at(visit, "US-TX")
    shop.open_preferences()
    shop.switch("advertising", False)
    shop.leave(lambda: shop.button("save").click())
    shop.context.set_extra_http_headers({"X-Place": "DE"})
    shop.come_back()
    expect(shop.banner).to_be_visible()
    assert shop.vendors.hosts & EVERYTHING == set()
    shop.refuse_all()
    shop.context.set_extra_http_headers({"X-Place": "US-TX"})
    shop.come_back()
    assert shop.vendors.hosts & EVERYTHING == set()


def test_the_rates_tell_rules_apart(visit: Visit) -> None:
    shop = at(visit, "DE")
    shop.accept_all()
    told = at(visit, "US-UT")
    told.leave(lambda: told.button("refuse").click())
    counted = shop.server.counted("world")
    assert counted["objections"] >= 1
    assert counted["told"] >= 1
    assert counted["objected advertising"] >= 1
    assert "purpose advertising" in counted
