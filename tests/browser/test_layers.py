"""What the visitor sees: two equal answers on layer one, all facts on layer two, in the visitor's language."""

from collections.abc import Callable
from itertools import product

import pytest
from playwright.sync_api import expect

from .axe import SCHEMES
from .shop import Shop

STYLES = """one => {
  const {width, height} = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  const names = [...style].filter((name) => !/^(inline|block|perspective|transform)/.test(name));
  return {width, height, tag: one.tagName, ...Object.fromEntries(names.map((name) => [name, style[name]]))};
}"""


@pytest.mark.parametrize("site", ["shop", "cinema"], ids=["bar", "box"])
def test_accept_and_refuse_look_the_same(visit: Callable[..., Shop], site: str) -> None:
    shop = visit(site).open()
    accept, refuse = shop.button("accept"), shop.button("refuse")
    for width, scheme in product((1280, 375, 320), SCHEMES):
        shop.page.set_viewport_size({"width": width, "height": 800})
        shop.page.emulate_media(color_scheme=scheme)
        for button in (accept, refuse):
            expect(button).to_be_in_viewport(ratio=1)
        assert accept.evaluate(STYLES) == pytest.approx(refuse.evaluate(STYLES)), (width, scheme)


def test_layer_one_says_what_people_look_for(shop: Shop) -> None:
    shop.open()
    for text in ("cookies", "third parties", "6 months", "withdraw", "audience measurement", "advertising"):
        expect(shop.banner).to_contain_text(text)
    for name in ("Accept all", "Reject all", "Manage preferences"):
        expect(shop.banner.get_by_role("button", name=name, exact=True)).to_be_visible()
    expect(shop.banner.get_by_role("link", name="Privacy policy")).to_have_attribute(
        "href", "https://shop.example/privacy"
    )


def test_layer_one_stands_in_the_page_s_own_document(shop: Shop) -> None:
    """Tools that answer banners for people do not look into shadow roots."""
    shop.open()
    own = shop.page.evaluate(
        """["accept", "refuse", "customise"].map((name) =>
             document.querySelector(`consent-widget [data-action=${name}]`)?.textContent)"""
    )
    assert own == ["Accept all", "Reject all", "Manage preferences"]


def test_on_a_phone_the_rest_of_the_text_is_a_key_away(visit: Callable[..., Shop]) -> None:
    shop = visit(viewport={"width": 390, "height": 844}).open()
    more = shop.banner.get_by_role("button", name="More")
    text = shop.banner.locator("> p").first
    # Whoever reads the document, a tool or a screen reader, has all of it at once.
    expect(text).to_contain_text("withdraw your consent at any time")
    is_cut = "one => one.scrollHeight > one.clientHeight"
    assert text.evaluate(is_cut)
    more.focus()
    shop.page.keyboard.press("Enter")
    assert not text.evaluate(is_cut)
    expect(more).to_be_focused()
    shop.page.keyboard.press("Enter")
    assert text.evaluate(is_cut)
    shop.page.set_viewport_size({"width": 1280, "height": 800})
    expect(more).to_be_hidden()
    assert not text.evaluate(is_cut)


def test_in_front_of_itself_the_banner_is_not_seen(shop: Shop) -> None:
    shop.open()
    seen = "one => one.checkVisibility({ opacityProperty: true })"
    banner, accept = shop.page.locator("consent-widget"), shop.button("accept").element_handle()
    shop.open_preferences()
    assert not accept.evaluate(seen)
    assert banner.evaluate("one => getComputedStyle(one).backgroundColor") == "rgba(0, 0, 0, 0)"
    heading = shop.page.get_by_role("heading", name="Manage preferences")
    expect(heading).to_be_focused()
    assert heading.evaluate(seen)
    assert heading.evaluate("one => getComputedStyle(one).outlineStyle") == "none"
    shop.page.keyboard.press("Escape")
    expect(shop.button("save")).to_have_count(0)
    assert accept.evaluate(seen)
    assert banner.evaluate("one => getComputedStyle(one).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_layer_two_names_every_vendor_and_cookie(shop: Shop) -> None:
    shop.open().unfold_all()
    dialog = shop.page.locator("consent-widget dialog")
    for text in ("Google Analytics", "Google Ads", "Meta pixel", "Google Ireland Limited", "_ga", "_gcl_au", "_fbp"):
        expect(dialog).to_contain_text(text)
    expect(dialog).to_contain_text("2 years")
    expect(dialog).to_contain_text("Shop Ltd")


def test_escape_on_layer_two_changes_nothing(shop: Shop) -> None:
    shop.open()
    before = len(shop.server.receipts("shop"))
    shop.open_preferences()
    shop.switch("analytics", True)
    shop.page.keyboard.press("Escape")
    expect(shop.button("save")).to_have_count(0)
    shop.settle()
    assert len(shop.server.receipts("shop")) == before
    assert shop.context.cookies() == []
    expect(shop.banner).to_be_visible()


def test_the_keyboard_alone_is_enough(shop: Shop) -> None:
    shop.open()
    shop.button("refuse").focus()
    shop.page.keyboard.press("Tab")
    assert shop.page.evaluate("document.activeElement.dataset.action") == "accept"
    with shop.page.expect_response("**/decisions"):
        shop.page.keyboard.press("Enter")
    assert shop.page.evaluate("consentWidget.decision.action") == "accept_all"


def test_the_site_s_own_link_opens_the_preferences(shop: Shop) -> None:
    shop.serve('<footer><a href="#" data-consent-open><b>Cookie settings</b></a></footer>')
    shop.open()
    shop.refuse_all()
    shop.page.locator("footer b").click()
    expect(shop.button("save")).to_be_visible()


def test_where_the_site_has_its_own_way_back_nothing_of_the_widget_is_seen(shop: Shop) -> None:
    shop.serve("<main>A page</main><button data-consent-open>Cookie settings</button>")
    shop.open()
    shop.refuse_all()
    box = shop.page.locator("consent-widget").bounding_box()
    assert box is None or box["width"] * box["height"] == 0


def test_the_page_s_language_is_the_banner_s(shop: Shop) -> None:
    shop.serve(lang="fr-FR")
    shop.open()
    expect(shop.banner.get_by_role("button", name="Tout accepter", exact=True)).to_be_visible()
    assert shop.page.locator("consent-widget").get_attribute("lang") == "fr"
    receipt = shop.refuse_all()
    assert receipt["language"] == "fr"


def test_a_language_in_the_tag_beats_the_page_s(shop: Shop) -> None:
    shop.serve(head=shop.tag(query="?lang=fr"), lang="en")
    shop.open()
    expect(shop.banner.get_by_role("button", name="Tout refuser", exact=True)).to_be_visible()
    assert shop.accept_all()["language"] == "fr"


def test_a_language_that_the_site_does_not_have_gets_the_default(visit: Callable[..., Shop]) -> None:
    shop = visit(locale="fi-FI")
    shop.serve(lang="fi")
    shop.open()
    expect(shop.banner.get_by_role("button", name="Accept all", exact=True)).to_be_visible()


def test_the_receipt_opens_from_the_widget(shop: Shop) -> None:
    shop.open()
    receipt = shop.accept_all()
    shop.open_preferences()
    with shop.context.expect_page() as opened:
        shop.page.get_by_role("link", name="View receipt").click()
    page = opened.value
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("body")).to_contain_text(receipt["jti"])
    expect(page.locator("body")).to_contain_text("Audience measurement")
    assert page.locator("html").get_attribute("lang") == "en"


def test_a_refuser_too_can_open_the_receipt_on_the_page_of_the_refusal(shop: Shop) -> None:
    shop.open()
    receipt = shop.refuse_all()
    shop.open_preferences()
    link = shop.page.get_by_role("link", name="View receipt")
    expect(link).to_be_visible()
    assert receipt["jti"] in str(link.get_attribute("href"))


def test_the_receipt_speaks_the_visitor_s_language(shop: Shop) -> None:
    shop.serve(lang="fr")
    shop.open()
    shop.choose(analytics=True)
    url = shop.page.evaluate("consentWidget.receiptUrl")
    shop.page.goto(url)
    assert shop.page.locator("html").get_attribute("lang") == "fr"
    expect(shop.page.locator("main")).to_contain_text("Mesure d’audience")
    expect(
        shop.page.get_by_role("link", name="Retirer").or_(shop.page.get_by_role("button", name="Imprimer")).first
    ).to_be_visible()


def test_the_receipt_leads_back_to_the_preferences(shop: Shop) -> None:
    shop.open()
    receipt = shop.accept_all()
    shop.page.goto(shop.page.evaluate("consentWidget.receiptUrl"))
    shop.page.locator(f'a[href="{receipt["withdraw"]}"]').click()
    expect(shop.button("withdraw")).to_be_visible()
