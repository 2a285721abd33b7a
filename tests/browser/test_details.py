"""What is looked at later is fetched later: once, in the page's language, and without disturbing who reads."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from .shop import Shop
from .site_files import ORIGIN

DETAILS = "**/details.js*"
FAILED = "The preferences could not be loaded. Please try again."
FOCUSED = """() => {
  const {shadowRoot} = document.querySelector("consent-widget");
  return (shadowRoot.activeElement ?? document.activeElement).textContent;
}"""


def scripts(page: Page) -> list[str]:
    """Where the scripts that come after the tag's are fetched from, as they are."""
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/widget/shop/" in sent.url else None)
    return asked


def test_the_facts_of_vendors_are_fetched_once_and_only_when_they_are_looked_at(shop: Shop) -> None:
    asked = scripts(shop.page)
    shop.open()
    shop.settle()
    assert asked == []
    shop.open_preferences()
    shop.switch("google-ads", True)
    shop.settle()
    preferences, details = (f"{shop.server.url}/widget/shop/{name}.js?lang=en" for name in ("preferences", "details"))
    assert asked == [preferences]
    pixel = shop.unfold("Meta pixel")
    for text in ("Operated by Meta Platforms Ireland Limited", "_fbp", "90 days", "facebook.com"):
        expect(pixel).to_contain_text(text)
    expect(shop.unfold("Google Ads")).to_contain_text("_gcl_au")
    shop.settle()
    assert asked == [preferences, details]


def test_they_come_in_the_page_s_language_from_the_tag_s_own_place(shop: Shop) -> None:
    asked = scripts(shop.page)
    shop.serve(head=shop.tag(base="/_consent"), lang="fr")
    shop.open()
    shop.open_preferences()
    shop.page.get_by_text("Tiers (1)").click()
    shop.page.locator("consent-widget dialog details details summary").first.click()
    expect(shop.page.locator("consent-widget dialog table")).to_contain_text("2 ans")
    assert asked == [f"{ORIGIN}/_consent/widget/shop/{name}.js?lang=fr" for name in ("preferences", "details")]


def test_facts_that_do_not_come_are_said_where_they_would_stand(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True)
    shop.open().open_preferences()
    shop.page.route(DETAILS, lambda route: route.abort())
    facts = shop.unfold("Meta pixel")
    expect(facts.get_by_role("status")).to_have_text(FAILED)
    expect(shop.button("save")).to_be_visible()
    shop.page.unroute(DETAILS)
    for _ in ("closed", "and opened"):
        facts.locator("summary").click()
    expect(facts).to_contain_text("_fbp")
    expect(facts).not_to_contain_text(FAILED)


def test_the_keyboard_stays_where_it_was(shop: Shop) -> None:
    shop.open().open_preferences()
    shop.page.get_by_text("Third parties (1)").click()
    summary = shop.page.get_by_label("Cookies and other storage: Google Analytics")
    summary.focus()
    shop.page.keyboard.press("Enter")
    expect(shop.page.locator("consent-widget dialog table")).to_be_visible()
    expect(summary).to_be_focused()
    shop.page.keyboard.press("Tab")
    expect(shop.page.get_by_role("link", name="Privacy policy (Google Analytics)")).to_be_focused()


@pytest.fixture
def held(shop: Shop) -> list[Route]:
    """Requests for the third script after a choice: the preferences are open, and it has not come."""
    shop.open()
    shop.accept_all()
    shop.reload()
    waiting: list[Route] = []
    shop.page.route(DETAILS, lambda route: waiting.append(route))
    with shop.page.expect_request(DETAILS):
        shop.way_back.click()
    shop.button("save").wait_for()
    return waiting


def test_my_choice_is_added_without_moving_the_focus(shop: Shop, held: list[Route]) -> None:
    assert shop.page.evaluate(FOCUSED) == "Manage preferences"
    shop.button("save").focus()
    (route,) = held
    route.continue_()
    mine = shop.page.get_by_role("heading", name="My choice")
    expect(mine).to_be_visible()
    assert shop.page.evaluate(FOCUSED) == "Save choices"
    expect(shop.button("withdraw")).to_be_visible()


def test_my_choice_that_comes_too_late_leaves_nothing_behind(shop: Shop, held: list[Route]) -> None:
    shop.page.keyboard.press("Escape")
    expect(shop.button("save")).to_have_count(0)
    with shop.page.expect_response(DETAILS):
        held[0].continue_()
    shop.settle()
    assert shop.page.locator("consent-widget [data-action]").count() == 1
    shop.open_preferences()
    expect(shop.page.get_by_role("heading", name="My choice")).to_have_count(1)
    assert len(held) == 1


def test_without_the_third_script_everything_else_can_be_chosen(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True).open()
    shop.accept_all()
    shop.reload()
    shop.page.route(DETAILS, lambda route: route.abort())
    shop.way_back.click()
    expect(shop.page.locator("consent-widget dialog").get_by_role("status")).to_have_text(FAILED)
    shop.switch("analytics", False)
    shop.switch("advertising", False)
    shop.page.unroute(DETAILS)
    assert shop.leave(lambda: shop.button("save").click())["grants"] == {"analytics": False, "advertising": False}


def test_a_page_s_methods_on_every_object_are_none_of_the_widget_s(visit: Callable[..., Shop]) -> None:
    shop = visit(init="for (const name of ['show', 'facts', 'mine']) Object.prototype[name] = () => {};").open()
    shop.open_preferences()
    expect(shop.unfold("Meta pixel")).to_contain_text("_fbp")
