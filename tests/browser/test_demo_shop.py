"""The demo shop, as a newcomer meets it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.support.process import free_port

from . import axe
from .fake_vendors import Vendors
from .servers import ROOT, ConsentServer


@pytest.fixture(scope="module")
def demo(server: ConsentServer) -> Iterator[str]:
    """Where the demo shop answers."""
    environment = {**os.environ, "DEMO_PORT": str(free_port()), "CONSENT_URL": server.url}
    script = Path("examples/shop/serve.py")
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as shop:
        assert shop.stdout is not None
        yield shop.stdout.readline().removeprefix("demo shop: ").strip()
        shop.terminate()


@pytest.fixture
def vendors() -> Vendors:
    """The vendors that the demo meets."""
    return Vendors()


# On a phone the panel is folded away; what it shows and covers is looked at on a desktop too.
PHONE, DESKTOP = ViewportSize(width=375, height=800), ViewportSize(width=1280, height=800)
in_both_sizes = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def size() -> ViewportSize:
    """A phone's, unless a test looks at both."""
    return PHONE


@pytest.fixture
def page(browser: Browser, demo: str, vendors: Vendors, size: ViewportSize) -> Iterator[Page]:
    """The shop, open, and no error until the end."""
    context = browser.new_context(viewport=size, base_url=demo)
    context.set_default_timeout(8_000)
    context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), vendors.answer)
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    page = context.new_page()
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto("/")
    page.locator("[data-action=accept]").wait_for()
    yield page
    # What fails while the profile is taken down is no fault of the page.
    found = list(faults)
    context.unroute_all(behavior="ignoreErrors")
    context.close()
    assert found == []


def decide(page: Page, action: str) -> None:
    """Answer the banner and wait until it is recorded."""
    with page.expect_response("**/decisions"):
        page.locator(f"[data-action={action}]").click()


def open_panel(page: Page) -> None:
    """Open the panel where it is folded away."""
    page.locator("html[data-panel]").wait_for()
    if not page.locator("#panel").is_visible():
        page.locator(".peek").click()


def test_a_refuser_can_shop_and_no_vendor_hears_of_it(page: Page, vendors: Vendors) -> None:
    decide(page, "refuse")
    page.goto("/bell")
    page.get_by_role("button", name="Add to basket").click()
    expect(page.locator("[data-basket]")).to_have_text("1")
    page.get_by_role("button", name="Buy now").click()
    page.get_by_role("link", name="See what comes next").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    open_panel(page)
    expect(page.locator("#panel")).to_contain_text("You refused. Every tag is kept out.")
    assert vendors.requests == []


@in_both_sizes
def test_the_panel_tells_what_is_held_and_what_loads(page: Page, vendors: Vendors) -> None:
    open_panel(page)
    panel = page.locator("#panel")
    expect(panel).to_contain_text("You have not chosen yet. Every tag is held.")
    expect(panel).to_contain_text('gtag("consent", "default"')
    decide(page, "accept")
    expect(panel).to_contain_text("You agreed to 10 tags.")
    expect(panel).to_contain_text("connect.facebook.net")
    expect(panel).to_contain_text('gtag("config", "G-ABCD123456")')
    expect(panel).to_contain_text('fbq("init", "1234567890123456")')
    expect(panel.get_by_role("link", name="Open the receipt")).to_be_visible()
    panel.get_by_text("Signed claims").click()
    expect(panel).to_contain_text('"action": "accept_all"')
    assert vendors.hosts >= {"www.googletagmanager.com", "connect.facebook.net"}


def test_a_conversion_waits_for_the_choice(page: Page, vendors: Vendors) -> None:
    page.goto("/bell")
    page.locator("[data-buy]").evaluate("one => one.click()")
    open_panel(page)
    expect(page.locator("#panel")).to_contain_text("held until you choose")
    with page.expect_request("**/pagead/conversion/**"):
        decide(page, "accept")
    expect(page.locator("#panel")).to_contain_text("passed on")
    assert [one["value"] for one in vendors.conversions] == ["48"]


def test_gated_markup_waits_for_audience_measurement(page: Page) -> None:
    expect(page.locator("[data-visits]")).to_have_count(0)
    decide(page, "accept")
    expect(page.locator("[data-visits]")).to_contain_text("This line was written by")


def test_the_basket_survives_a_withdrawal(page: Page) -> None:
    decide(page, "accept")
    page.goto("/bell")
    page.get_by_role("button", name="Add to basket").click()
    with page.expect_event("load"):
        page.evaluate("consentWidget.withdraw()")
    expect(page.locator("[data-basket]")).to_have_text("1")
    names = {cookie["name"] for cookie in page.context.cookies()}
    assert names == {"cart", "eu-consent"}


def test_the_footer_opens_the_preferences(page: Page) -> None:
    decide(page, "refuse")
    page.get_by_role("button", name="Cookie settings").click()
    expect(page.locator("consent-widget [data-action=save]")).to_be_visible()


@in_both_sizes
def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    for path in ("/", "/bell", "/thanks"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@in_both_sizes
def test_everybody_can_use_it(page: Page, size: ViewportSize) -> None:
    for path in ("/", "/bell", "/thanks"):
        page.goto(path)
        page.locator("[data-action=accept]").wait_for()
        if path == "/":
            page.locator("consent-placeholder").wait_for()
        assert axe.faults(page, sizes=[size]) == []
    decide(page, "accept")
    page.goto("/")
    expect(page.locator("[data-visits]")).to_be_visible()
    open_panel(page)
    assert axe.faults(page, sizes=[size]) == []


def test_a_developer_sees_more_by_the_address_alone(page: Page) -> None:
    page.goto("/?consent-debug")
    overlay = page.locator("consent-debug")
    expect(overlay).to_contain_text("callbell")
    # On a phone it would be all that is seen.
    expect(overlay.locator(".body")).to_be_hidden()
    overlay.get_by_role("button", name="Unfold").click()
    expect(overlay.locator("li").filter(has_text="vendor google-analytics")).to_contain_text("held")
