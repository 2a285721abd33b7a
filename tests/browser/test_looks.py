"""How the banner looks, and that no look of it takes the page away."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from consent_server.sites.rules_colours import contrast, mix

from . import axe
from .shop import Shop
from .site_files import FRAME, LAYOUTS, LOGO

LONG = "<main>" + "".join(f"<p><a href='#{n}' id='link{n}'>Link {n}</a></p>" for n in range(80)) + "</main>"
WATCH_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => list.getEntries().forEach(({value}) => shifts += value))
  .observe({type: "layout-shift", buffered: true});
"""
# What a blocker does by a style of the user's: it beats all that a page or a widget can say.
BLOCKER = """
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (options) {
  const root = attach.call(this, options), sheet = new CSSStyleSheet();
  sheet.replaceSync(":host(consent-widget:not(x)) { display: none !important }");
  root.adoptedStyleSheets = [sheet];
  return root;
};
"""
COLOURS = """one => {
  const hex = (text) => "#" + text.match(/\\d+/g).slice(0, 3).map((n) => (+n).toString(16).padStart(2, "0")).join("");
  const style = getComputedStyle(one);
  return [hex(style.color), hex(style.backgroundColor), hex(style.borderTopColor)];
}"""


@pytest.mark.parametrize("site", LAYOUTS, ids=LAYOUTS.values())
def test_the_page_neither_moves_nor_is_locked(visit: Callable[..., Shop], site: str) -> None:
    shop = visit(site, init=WATCH_SHIFTS, viewport={"width": 1280, "height": 800})
    shop.serve(LONG)
    shop.open()
    expect(shop.banner).to_be_visible()
    shop.page.locator("#link1").click()
    shop.page.mouse.move(100, 100)
    shop.page.mouse.wheel(0, 400)
    shop.page.wait_for_function("scrollY > 300")
    padding = "getComputedStyle(document.documentElement).scrollPaddingBottom"
    shop.page.wait_for_function(f"{padding} == document.querySelector('consent-widget').offsetHeight + 'px'")
    assert shop.page.evaluate("[document.body, document.documentElement].every((one) => !one.getAttribute('style'))")
    style = "[document.body, document.documentElement].flatMap((one) => [one.style.overflow, one.style.position])"
    assert set(shop.page.evaluate(style)) == {""}
    shop.refuse_all()
    assert shop.page.evaluate("shifts") == 0
    assert shop.page.evaluate(padding) == "auto"


def test_where_a_blocker_hides_the_widget_nothing_is_counted_and_no_key_decides(visit: Callable[..., Shop]) -> None:
    shop = visit(init=BLOCKER)
    posted = shop.posted()
    shop.open()
    shop.page.wait_for_function("document.querySelector('consent-widget [data-action=accept]')")
    expect(shop.button("accept")).to_have_count(0)
    shop.page.keyboard.press("Escape")
    shop.settle()
    assert posted == []
    assert shop.page.evaluate("consentWidget.decision") is None
    assert shop.vendors.requests == []


def test_where_a_blocker_hides_the_widget_the_site_s_link_leads_to_the_form(visit: Callable[..., Shop]) -> None:
    shop = visit(init=BLOCKER)
    shop.serve('<a href="/elsewhere" data-consent-open>Cookie settings</a>')
    shop.open()
    shop.page.get_by_role("link", name="Cookie settings").click()
    shop.page.wait_for_url("**/sites/shop/choice?lang=en")
    expect(shop.page.get_by_role("heading", level=1)).to_have_text("Your cookie choices")


def test_on_paper_there_is_nothing_of_the_widget(shop: Shop) -> None:
    shop.open()
    shop.page.emulate_media(media="print")
    expect(shop.page.locator("consent-widget")).to_be_hidden()
    shop.page.emulate_media(media="screen")
    shop.refuse_all()
    shop.page.emulate_media(media="print")
    expect(shop.page.locator("consent-widget")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_site_s_colours_are_seen_as_corrected(visit: Callable[..., Shop], scheme: str) -> None:
    shop = visit("styled", color_scheme=scheme).open()
    text, surface, _ = shop.banner.evaluate(COLOURS)
    assert contrast(mix(text, surface, 0.2), surface) >= 4.5
    assert contrast(shop.button("customise").evaluate(COLOURS)[2], surface) >= 3
    for action in ("accept", "refuse"):
        label, accent, _ = shop.button(action).evaluate(COLOURS)
        assert contrast(label, accent) >= 4.5
        assert contrast(accent, surface) >= 3


PAPER = {"light": "#ffffff", "dark": "#121212"}


@pytest.mark.parametrize(
    ("style", "seen"),
    [("", ["light"] * 2), ("dark", ["dark"] * 2), ("light", ["light"] * 2), ("light dark", ["light", "dark"])],
    ids=["none", "dark", "light", "both"],
)
def test_the_banner_is_light_or_dark_as_the_page_is(visit: Callable[..., Shop], style: str, seen: list[str]) -> None:
    shop = visit("cinema")
    # In a page's own words, over the one that all pages of these tests have.
    style = f"<style>:root {{ color-scheme: {style or 'only light'} }}</style>"
    shop.serve(FRAME, head=style + shop.tag())
    shop.open()
    for system, scheme in zip(axe.SCHEMES, seen, strict=True):
        shop.page.emulate_media(color_scheme=system)
        for one in (shop.banner, shop.page.locator("consent-placeholder")):
            assert one.evaluate(COLOURS)[1] == PAPER[scheme]
        label, accent, _ = shop.button("accept").evaluate(COLOURS)
        assert contrast(accent, PAPER[scheme]) >= 3
        assert contrast(label, accent) >= 4.5


def test_a_stand_in_has_the_site_s_colours_font_and_corners(visit: Callable[..., Shop]) -> None:
    shop = visit("styled")
    frame = FRAME.replace('"filmhaus"', '"google-analytics"')
    shop.serve(frame, head=f"<style>body {{ font-family: Georgia, serif }}</style>{shop.tag()}")
    shop.open()
    stand_in = shop.page.locator("consent-placeholder")
    assert stand_in.evaluate(COLOURS)[:2] == shop.banner.evaluate(COLOURS)[:2]
    style = "one => { const s = getComputedStyle(one); return [s.fontFamily, s.borderRadius, s.position] }"
    assert stand_in.evaluate(style) == ["Georgia, serif", "2px", "static"]
    once, always = (stand_in.get_by_role("button").nth(n).bounding_box() for n in range(2))
    assert once
    assert always
    assert (once["width"], once["height"]) == (always["width"], always["height"])


def test_corner_font_round_corners_and_logo_are_the_site_s(visit: Callable[..., Shop]) -> None:
    shop = visit("styled", viewport={"width": 1280, "height": 800})
    shop.serve(head=f"<style>body {{ font-family: Georgia, serif }}</style>{shop.tag()}")
    shop.open()
    box = shop.banner.bounding_box()
    assert box
    assert box["x"] + box["width"] == 1280 - 16
    style = "one => { const s = getComputedStyle(one); return [s.fontFamily, s.borderRadius] }"
    assert shop.button("refuse").evaluate(style) == ["Georgia, serif", "2px"]
    logo = shop.banner.get_by_role("img", name="Shop")
    assert logo.get_attribute("src") == LOGO
    assert logo.evaluate("one => one.getBoundingClientRect().height") == 30
    shop.refuse_all()
    back = shop.way_back.bounding_box()
    assert back
    assert back["x"] + back["width"] == 1280 - 16


def test_the_styled_banner_and_preferences_pass_axe(visit: Callable[..., Shop]) -> None:
    shop = visit("styled").open()
    assert axe.faults(shop.page, "consent-widget") == []
    shop.open_preferences()
    assert axe.faults(shop.page, "consent-widget") == []
