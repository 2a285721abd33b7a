"""Global Privacy Control keeps advertising off unless the visitor then grants it for this site."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .shop import SIGNAL, Shop
from .site_files import ANALYTICS, PIXEL

DAY = 86_400


def test_the_banner_says_that_the_signal_is_honoured(visit: Callable[..., Shop]) -> None:
    shop = visit(init=SIGNAL).open()
    expect(shop.banner).to_contain_text("Global Privacy Control")
    shop.settle()
    assert shop.vendors.requests == []
    assert shop.context.cookies() == []


def test_without_the_signal_the_banner_does_not_speak_of_it(shop: Shop) -> None:
    shop.open()
    expect(shop.banner).not_to_contain_text("Global Privacy Control")


def test_the_visitor_s_later_act_grants_for_this_site(visit: Callable[..., Shop]) -> None:
    shop = visit(init=SIGNAL).open()
    receipt = shop.accept_all()
    assert receipt["gpc"] is True
    assert receipt["grants"] == {"analytics": True, "advertising": True}
    assert shop.choice()["g"] == "1"
    shop.come_back()
    assert shop.vendors.views == [PIXEL, ANALYTICS]
    assert shop.server.receipts("shop")[-1]["action"] == "accept_all"


def test_a_grant_made_without_the_signal_loses_advertising(visit: Callable[..., Shop]) -> None:
    shop = visit().open()
    before = shop.accept_all()
    shop.vendors.forget()
    shop.context.add_init_script(SIGNAL)
    with shop.page.expect_response("**/decisions"):
        shop.reload()
    shop.settle()
    after = shop.server.receipts("shop")[-1]
    assert (after["action"], after["method"], after["gpc"], after["change"]) == ("gpc", "signal", True, True)
    assert after["grants"] == {"analytics": True, "advertising": False}
    assert after["sub"] == before["sub"]
    assert shop.vendors.views == [ANALYTICS]
    assert shop.cookies() == {"_ga", "_ga_SHOP123456", "eu-consent"}
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "0"}


def test_the_signal_lengthens_no_choice(visit: Callable[..., Shop]) -> None:
    shop = visit().open()
    shop.accept_all()
    text = next(cookie["value"] for cookie in shop.context.cookies() if cookie["name"] == "eu-consent")
    at = int(time.time()) - 100 * DAY
    old = "&".join(f"t={at}" if part.startswith("t=") else part for part in text.split("&"))
    shop.page.evaluate("text => document.cookie = `eu-consent=${text};Path=/;Max-Age=9999`", old)
    shop.context.add_init_script(SIGNAL)
    with shop.page.expect_response("**/decisions"):
        shop.reload()
    shop.page.wait_for_function("() => !localStorage.getItem('eu-consent-outbox')")
    cookie = next(cookie for cookie in shop.context.cookies() if cookie["name"] == "eu-consent")
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "0"}
    assert cookie["expires"] - time.time() == pytest.approx(80 * DAY, abs=60)


def test_a_refusal_is_not_recorded_again_for_the_signal(visit: Callable[..., Shop]) -> None:
    shop = visit().open()
    shop.refuse_all()
    before = len(shop.server.receipts("shop"))
    shop.context.add_init_script(SIGNAL)
    shop.reload()
    shop.settle()
    assert len(shop.server.receipts("shop")) == before
