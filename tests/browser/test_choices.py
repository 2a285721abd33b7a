"""Refuse, accept, choose: what loads, what is recorded, what stays on the device."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .shop import Shop
from .site_files import ADS, ANALYTICS, PIXEL

GTAG = "www.googletagmanager.com/gtag/js"
FBEVENTS = "connect.facebook.net/en_US/fbevents.js"
THREE_PAGES = ("/", "/product", "/thanks")


def test_before_a_choice_nothing_is_asked_and_nothing_is_kept(shop: Shop) -> None:
    for path in THREE_PAGES:
        shop.serve(path=path)
        shop.open(path)
        expect(shop.banner).to_be_visible()
        shop.settle()
    assert shop.vendors.requests == []
    assert shop.context.cookies() == []
    assert shop.storage() == []
    assert shop.page.evaluate("consentWidget.decision") is None


def test_a_refusal_asks_nothing_of_any_vendor_over_three_pages(shop: Shop) -> None:
    shop.open()
    receipt = shop.refuse_all()
    assert (receipt["action"], receipt["method"], receipt["change"]) == ("refuse_all", "banner", False)
    for path in THREE_PAGES:
        shop.serve(path=path)
        shop.open(path)
        shop.settle()
        expect(shop.banner).to_have_count(0)
    assert shop.vendors.requests == []


def test_a_refuser_carries_no_identifier(shop: Shop) -> None:
    shop.open()
    receipt = shop.refuse_all()
    assert "sub" not in receipt
    assert shop.choice().keys() == {"v", "t", "n", "p.analytics", "p.advertising"}
    assert shop.grants() == {"p.analytics": "0", "p.advertising": "0"}
    assert shop.cookies() == {"eu-consent"}
    assert shop.storage() == []
    shop.reload()
    shop.settle()
    assert shop.storage() == []
    assert shop.page.evaluate("consentWidget.receiptUrl") is None


@pytest.mark.parametrize("act", [Shop.close, Shop.press_escape], ids=["cross", "escape"])
def test_to_close_or_press_escape_is_a_refusal(shop: Shop, act: Callable[[Shop], dict[str, object]]) -> None:
    shop.open()
    expect(shop.banner).to_be_visible()
    receipt = act(shop)
    assert receipt["action"] == "refuse_all"
    expect(shop.banner).to_have_count(0)
    assert shop.vendors.requests == []


def test_accepting_loads_each_tag_once_and_sends_the_held_page_view_once(shop: Shop) -> None:
    shop.open()
    receipt = shop.accept_all()
    assert receipt["grants"] == {"analytics": True, "advertising": True}
    assert receipt["vendors"] == {"google-analytics": True, "google-ads": True, "meta-pixel": True}
    assert shop.vendors.scripts == [FBEVENTS, GTAG]
    assert shop.vendors.views == [PIXEL, ANALYTICS]
    assert {"_ga", "_ga_SHOP123456", "_gcl_au", "_fbp", "eu-consent"} == shop.cookies()


def test_a_grant_keeps_visitor_state_and_receipt_on_the_device(shop: Shop) -> None:
    shop.open()
    receipt = shop.accept_all()
    choice = shop.choice()
    # The identifier, and behind it the tag that lets this browser alone act as it.
    assert choice["i"].partition(".")[0] == receipt["sub"]
    assert 0 < len(choice["s"]) <= 512
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "1"}
    assert "eu-consent-receipt" in shop.storage()
    assert "eu-consent-outbox" not in shop.storage()


def test_where_the_cookie_has_gone_so_does_the_receipt(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.context.clear_cookies()
    shop.reload()
    expect(shop.banner).to_be_visible()
    shop.page.wait_for_function("() => !localStorage.getItem('eu-consent-receipt')")
    assert shop.page.evaluate("consentWidget.receiptUrl") is None


def test_the_cookie_lives_six_months_for_yes_and_no_alike(visit: Callable[..., Shop]) -> None:
    def lifetime(shop: Shop) -> float:
        cookie = next(one for one in shop.context.cookies() if one["name"] == "eu-consent")
        assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == ("Lax", True, False)
        assert (cookie["path"], cookie["domain"]) == ("/", "a.b.example.co.uk")
        return cookie["expires"] - time.time()

    yes, no = visit().open(), visit().open()
    yes.accept_all()
    no.refuse_all()
    assert lifetime(yes) == pytest.approx(180 * 86400, abs=3)
    assert lifetime(no) == pytest.approx(180 * 86400, abs=3)


def test_only_analytics(shop: Shop) -> None:
    shop.open()
    receipt = shop.choose(analytics=True)
    assert (receipt["action"], receipt["method"]) == ("save", "preferences")
    assert receipt["grants"] == {"analytics": True, "advertising": False}
    assert shop.vendors.scripts == [GTAG]
    assert shop.vendors.views == [ANALYTICS]
    assert ["config", ADS] not in shop.data_layer()
    assert shop.cookies() == {"_ga", "_ga_SHOP123456", "eu-consent"}
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "0"}


def test_only_advertising(shop: Shop) -> None:
    shop.open()
    receipt = shop.choose(advertising=True)
    assert receipt["grants"] == {"analytics": False, "advertising": True}
    assert shop.vendors.scripts == [FBEVENTS, GTAG]
    assert shop.vendors.views == [PIXEL]
    assert ["config", ANALYTICS] not in shop.data_layer()
    assert shop.cookies() == {"_gcl_au", "_fbp", "eu-consent"}


def test_one_vendor_off(shop: Shop) -> None:
    shop.open()
    receipt = shop.choose(analytics=True, advertising=True, meta_pixel=False)
    assert receipt["vendors"] == {"google-analytics": True, "google-ads": True, "meta-pixel": False}
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "1", "v.meta-pixel": "0"}
    assert shop.vendors.scripts == [GTAG]
    assert "_fbp" not in shop.cookies()
    shop.come_back()
    assert shop.vendors.scripts == [GTAG]


def test_saving_with_every_switch_off_is_a_denial_of_all(shop: Shop) -> None:
    shop.open()
    receipt = shop.choose()
    assert receipt["grants"] == {"analytics": False, "advertising": False}
    assert "sub" not in receipt
    assert shop.vendors.requests == []


def test_nothing_is_ticked_before_the_visitor_ticks_it(shop: Shop) -> None:
    shop.open().open_preferences()
    assert shop.page.locator("consent-widget input:checked").count() == 0
    assert shop.page.locator('consent-widget input[name="analytics"]').count() >= 1


def test_a_return_visit_asks_the_consent_server_for_the_script_alone(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.vendors.forget()
    asked: list[str] = []
    shop.page.on("request", lambda request: asked.append(request.url))
    shop.reload()
    shop.page.wait_for_function("document.cookie.includes('_fbp')")
    shop.settle()
    assert [url for url in asked if url.startswith(shop.server.url)] == [f"{shop.server.url}/widget/shop.js"]
    assert shop.vendors.scripts == [FBEVENTS, GTAG]
    assert shop.vendors.views == [PIXEL, ANALYTICS]
    expect(shop.banner).to_have_count(0)


def test_a_second_decision_is_a_change_of_the_same_visitor(shop: Shop) -> None:
    shop.open()
    first = shop.choose(analytics=True)
    second = shop.choose(advertising=True)
    assert (first["change"], second["change"]) == (False, True)
    assert first["sub"] == second["sub"]
    assert shop.vendors.scripts == [FBEVENTS, GTAG]
    assert shop.vendors.views == [PIXEL, ANALYTICS]


def test_a_page_that_goes_with_the_click_keeps_the_choice_and_records_it(shop: Shop) -> None:
    shop.open()
    before = len(shop.server.receipts("shop"))
    # Before the widget's own listener, and after the last frame.
    shop.page.evaluate(
        """addEventListener("pagehide", () => document.querySelector("consent-widget [data-action=accept]").click(),
        {capture: true, once: true})"""
    )
    receipt = shop.leave(shop.page.reload)
    assert receipt["action"] == "accept_all"
    assert len(shop.server.receipts("shop")) == before + 1
    assert set(shop.grants().values()) == {"1"}
    assert shop.banner.count() == 0
