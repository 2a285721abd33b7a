"""My choice: what the visitor sees of it, takes along, withdraws and has erased, in the panel or by a receipt alone."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support import jose

from . import axe
from .shop import Shop
from .site_files import ORIGIN


def panel(shop: Shop) -> Locator:
    """The section of the preferences, opened."""
    shop.open_preferences()
    return shop.page.locator("consent-widget dialog section").filter(
        has=shop.page.get_by_role("heading", name="My choice")
    )


def receipt_url(shop: Shop) -> str:
    found: str = shop.page.evaluate("consentWidget.receiptUrl")
    return found


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """Another device, which knows nothing of the visitor and runs no script."""
    context = browser.new_context(
        java_script_enabled=False, ignore_https_errors=True, viewport={"width": 390, "height": 844}
    )
    yield context.new_page()
    context.close()


# The panel, on a page of another origin than the server's


def test_what_was_chosen_when(visit: Callable[..., Shop]) -> None:
    shop = visit(timezone_id="Europe/Paris", locale="en-GB")
    shop.open()
    shop.open_preferences()
    expect(shop.page.get_by_role("heading", name="My choice")).to_have_count(0)
    shop.page.keyboard.press("Escape")
    shop.page.clock.set_fixed_time("2026-11-23T17:05:00Z")
    shop.choose(analytics=True)
    mine = panel(shop)
    expect(mine).to_contain_text("You chose on 23 November 2026, 18:05:")
    expect(mine).to_contain_text("Audience measurement · Allowed")
    expect(mine).to_contain_text("Advertising · Not allowed")


def test_of_a_refusal_its_day_is_told_and_no_hour(visit: Callable[..., Shop]) -> None:
    shop = visit(timezone_id="America/New_York")
    shop.open()
    shop.page.clock.set_fixed_time("2026-11-23T17:05:00Z")
    shop.refuse_all()
    expect(panel(shop)).to_contain_text("You chose on 23 November 2026:")


# French writes the first of a month in a way of its own; of Irish the browser knows no dates.
@pytest.mark.parametrize(
    ("lang", "title", "at", "denied"),
    [("fr", "Mon choix", "1er novembre 2026, 18:05", "Publicité · Refusé"),
     ("ga", "Mo rogha", "1 Samhain 2026 18:05", "Fógraíocht · Diúltaithe")],
)  # fmt: skip
def test_it_is_told_in_the_visitor_s_language(
    visit: Callable[..., Shop], lang: str, title: str, at: str, denied: str
) -> None:
    shop = visit("bar", timezone_id="Europe/Paris")
    shop.serve(lang=lang)
    shop.open()
    shop.page.clock.set_fixed_time("2026-11-01T17:05:00Z")
    shop.choose(analytics=True)
    shop.open_preferences()
    dialog = shop.page.locator("consent-widget dialog")
    expect(dialog.get_by_role("heading", name=title)).to_be_visible()
    expect(dialog).to_contain_text(at)
    expect(dialog).to_contain_text(denied)


def saved(shop: Shop, mine: Locator, name: str) -> tuple[str, bytes]:
    """The file that a link gives, by its name."""
    with shop.page.expect_download() as coming:
        mine.get_by_role("link", name=name).click()
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def test_the_receipt_is_saved_and_verifies_with_the_published_keys(shop: Shop) -> None:
    shop.open()
    claims = shop.accept_all()
    mine = panel(shop)
    name, jws = saved(shop, mine, "Download the signed receipt")
    day = f"{datetime.fromtimestamp(claims['iat'], UTC):%Y-%m-%d}"
    assert name == f"receipt-{day}-{claims['jti']}.jws"
    keys = json.loads(shop.server.get("/.well-known/jwks.json")[1])["keys"]
    (key,) = [key for key in keys if key["kid"] == jose.header(jws.decode())["kid"]]
    assert jose.verifies(jws.decode(), key)
    assert jose.claims(jws.decode()) == claims
    name, contents = saved(shop, mine, "Download its contents")
    assert name == f"receipt-{day}-{claims['jti']}.json"
    assert json.loads(contents) == claims
    # The visitor is still where they were.
    expect(mine).to_be_visible()
    assert shop.page.url == f"{ORIGIN}/"


def test_withdrawing_in_the_panel(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    assert shop.withdraw()["method"] == "preferences"
    # The page that sent the record once more has its link; the next one has none.
    shop.reload()
    mine = panel(shop)
    expect(mine).to_contain_text("Advertising · Not allowed")
    expect(mine).to_contain_text("No link to a receipt is kept here")
    expect(mine.get_by_role("link")).to_have_count(0)
    expect(shop.button("withdraw")).to_have_count(0)
    expect(mine.get_by_text("Ask for erasure")).to_have_count(0)


def ask(shop: Shop, mine: Locator) -> Locator:
    """Ask for erasure; what the panel answers."""
    mine.get_by_text("Ask for erasure of the record").click()
    expect(mine).to_contain_text("may keep proof")
    shop.button("erase").click()
    return mine.get_by_role("status")


def test_asking_for_erasure_in_the_panel(shop: Shop, phone: Page) -> None:
    shop.open()
    claims = shop.accept_all()
    said = ask(shop, panel(shop))
    expect(said).to_contain_text("You asked for erasure on")
    expect(said).to_be_focused()
    assert claims["jti"] in shop.server.command("visitor", "requests", "shop")
    url = receipt_url(shop)
    phone.goto(url)
    expect(phone.get_by_text("You asked for erasure on")).to_be_visible()
    assert len([one for one in shop.server.receipts("shop") if one.get("sub") == claims["sub"]]) == 1
    # The operator carries it out; the page says so, and so does the panel.
    shop.server.command("visitor", "erase", "--requested", "shop")
    assert [one for one in shop.server.receipts("shop") if one.get("sub") == claims["sub"]] == []
    assert shop.server.command("visitor", "requests", "shop") == ""
    answer = phone.goto(url)
    assert answer
    assert answer.status == 410
    expect(phone.get_by_role("heading", level=1)).to_have_text("This record has been removed")
    shop.reload()
    expect(ask(shop, panel(shop))).to_have_text("The record is erased already.")


def test_a_request_that_does_not_arrive_can_be_sent_again(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.page.route("**/erasure", lambda route: route.abort())
    mine = panel(shop)
    expect(ask(shop, mine)).to_have_text("The request could not be sent. Please try again.")
    shop.page.unroute("**/erasure")
    shop.button("erase").click()
    expect(mine.get_by_role("status")).to_contain_text("You asked for erasure on")
    expect(shop.button("erase")).to_have_count(0)


def test_the_panel_before_and_after_it_was_asked_for_is_accessible(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    mine = panel(shop)
    mine.get_by_text("Ask for erasure of the record").click()
    assert axe.faults(shop.page, "consent-widget") == []
    shop.button("erase").click()
    expect(mine.get_by_role("status")).not_to_have_text("")
    assert axe.faults(shop.page, "consent-widget") == []


# The receipt's page, on another device


def press(page: Page, name: str) -> dict[str, Any]:
    """Press a button of the page, and where that leads."""
    with page.expect_navigation() as leads:
        page.get_by_role("button", name=name).click()
    assert leads.value.status == 200
    return {"url": page.url, "title": page.get_by_role("heading", level=1).inner_text()}


def test_the_receipt_alone_withdraws_on_another_device(shop: Shop, phone: Page) -> None:
    shop.open()
    granted = shop.accept_all()
    url = receipt_url(shop)
    phone.goto(url)
    expect(phone.get_by_text("What this page cannot do")).to_be_visible()
    led = press(phone, "Withdraw consent")
    withdrawn = shop.server.receipts("shop")[-1]
    assert (withdrawn["action"], withdrawn["method"], withdrawn["change"]) == ("withdraw", "api", True)
    assert (withdrawn["notice"], withdrawn["page"]) == (granted["notice"], granted["page"])
    assert withdrawn["jti"] in led["url"]
    assert led["url"] != url
    for there in (led["url"], url):
        phone.goto(there)
        expect(phone.get_by_text("nothing is allowed any more")).to_be_visible()
        expect(phone.get_by_role("button", name="Withdraw consent")).to_have_count(0)
    # As the page says: the browser of the choice keeps its copy, until it is withdrawn there as well.
    shop.reload()
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "1"}
    phone.get_by_role("link", name="Go to the site").click()
    assert phone.url.startswith(ORIGIN)
    assert shop.withdraw()["action"] == "withdraw"


def test_the_browser_of_the_choice_follows_where_the_server_is_on_its_host(shop: Shop, phone: Page) -> None:
    shop.serve(head=shop.tag(base="/_consent"))
    shop.open()
    shop.accept_all()
    link = receipt_url(shop).rpartition("/")[2]
    phone.goto(f"{shop.server.url}/v1/receipts/{link}")
    press(phone, "Withdraw consent")
    other = shop.context.new_page()
    other.goto(f"{ORIGIN}/_consent/v1/receipts/{link}")
    expect(other.get_by_text("The copy of your choice in this browser is changed as well.")).to_be_visible()
    assert shop.grants() == {"p.analytics": "0", "p.advertising": "0"}
    assert not {"i", "s"} & shop.choice().keys()
    shop.vendors.forget()
    shop.reload()
    shop.page.wait_for_function("() => !/_ga|_gcl|_fbp/.test(document.cookie)")
    shop.settle()
    assert shop.vendors.requests == []
    assert shop.storage() == []
    assert shop.page.evaluate("consentWidget.decision.grants") == {"analytics": False, "advertising": False}


def test_the_receipt_alone_asks_for_erasure(shop: Shop, phone: Page) -> None:
    shop.serve(lang="fr")
    shop.open()
    claims = shop.refuse_all()
    phone.goto(receipt_url(shop))
    expect(phone.get_by_text("il n’y a rien à retirer")).to_be_visible()
    press(phone, "Demander l’effacement")
    expect(phone.get_by_text("Vous avez demandé l’effacement le")).to_be_visible()
    expect(phone.get_by_role("button", name="Demander l’effacement")).to_have_count(0)
    assert claims["jti"] in shop.server.command("visitor", "requests", "shop")
    shop.server.command("visitor", "erase", "--requested", "shop")
    assert claims["jti"] not in [one["jti"] for one in shop.server.receipts("shop")]


@pytest.mark.parametrize("width", [390, 1280])
def test_what_has_the_focus_is_not_behind_the_buttons(visit: Callable[..., Shop], width: int) -> None:
    """WCAG 2.4.11, wherever Tab leads in the section."""
    shop = visit(viewport={"width": width, "height": 700}).open()
    shop.accept_all()
    panel(shop)
    footer = shop.page.locator("consent-widget dialog .f")
    for name in ("Withdraw consent", "View receipt", "Download the signed receipt", "Download its contents"):
        one = shop.page.locator("consent-widget").get_by_text(name)
        while not one.evaluate("one => one.getRootNode().activeElement === one"):
            shop.page.keyboard.press("Tab")
        box, bar = one.bounding_box(), footer.bounding_box()
        assert box
        assert bar
        assert box["y"] + box["height"] <= bar["y"]
