"""WCAG 2.2 AA and RGAA 4.1.2, point by point, in a real browser. docs/accessibility.md says which test is whose."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from consent_server.sites.rules_colours import contrast

from .keyboard import as_hex, stops
from .shop import Shop
from .site_files import FRAME, LAYOUTS, ORIGIN

each_layout = pytest.mark.parametrize("site", LAYOUTS, ids=LAYOUTS.values())

WIDE = """() => [document.documentElement, document.querySelector("consent-widget"),
  ...document.querySelector("consent-widget").shadowRoot.querySelectorAll("dialog")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.tagName)"""
# As WCAG 1.4.12 has it; the second call takes it away.
SPACE = """() => {
  const root = document.querySelector("consent-widget").shadowRoot;
  if (window.spaced) return root.adoptedStyleSheets.splice(root.adoptedStyleSheets.indexOf(spaced), 1);
  const wide = "line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important";
  window.spaced = new CSSStyleSheet();
  spaced.replaceSync(`::slotted(*),:host *{${wide}} ::slotted(p),p{margin-bottom:2em!important}`);
  root.adoptedStyleSheets.push(spaced);
}"""
CLIPPED = """() => [...document.querySelectorAll("consent-widget > :not([role=status])")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow !== "visible"
    || one.getBoundingClientRect().width > innerWidth).map((one) => one.textContent)"""
CONTROLS = """() => {
  const host = document.querySelector("consent-widget");
  return [host, host.shadowRoot].flatMap((part) => [...part.querySelectorAll("a, button, summary, input")])
    .map((one) => (one.labels?.length && one.closest("label") || one).getBoundingClientRect())
    .filter(({width}) => width).map(({width, height}) => Math.min(width, height));
}"""
OBJECTS = """() => {
  const host = document.querySelector("consent-widget");
  const all = [host, host.shadowRoot].flatMap((part) => [...part.querySelectorAll("*")]);
  return [document.getAnimations().length, all.filter((one) => {
    const style = getComputedStyle(one);
    return /[1-9]/.test(style.transitionDuration + style.animationDuration);
  }).length];
}"""


@each_layout
def test_the_banner_says_what_it_is(visit: Callable[..., Shop], site: str) -> None:
    shop = visit(site).open()
    dialog = shop.page.get_by_role("dialog", name="Your cookie choices")
    expect(dialog.get_by_role("heading", level=2, name="Your cookie choices")).to_be_visible()
    for name in ("Reject all", "Accept all", "Manage preferences", "Reject and close"):
        expect(dialog.get_by_role("button", name=name, exact=True)).to_be_visible()
    # The page behind it can be used, so it says nothing else.
    expect(shop.banner).not_to_have_attribute("aria-modal", "true")
    # Who comes by the keyboard meets it first; until then it stands last, where nothing of the page's counts on it.
    shop.page.keyboard.press("Tab")
    assert shop.page.evaluate("document.body.firstElementChild.localName") == "consent-widget"
    assert shop.page.evaluate("document.activeElement.closest('consent-widget') != null")


@pytest.mark.parametrize("site", ["shop", "cinema"])
def test_every_target_has_24_pixels(visit: Callable[..., Shop], site: str) -> None:
    shop = visit(site, viewport={"width": 390, "height": 844}).open()
    expect(shop.banner).to_be_visible()
    assert min(shop.page.evaluate(CONTROLS)) >= 24
    shop.unfold_all()
    assert min(shop.page.evaluate(CONTROLS)) >= 24
    shop.button("refuse").click()
    expect(shop.way_back).to_be_visible()
    assert min(shop.page.evaluate(CONTROLS)) >= 24


def reachable(shop: Shop, *actions: str) -> None:
    """Nothing sticks out sideways, and each button can be scrolled to and pressed."""
    assert shop.page.evaluate(WIDE) == []
    for action in actions:
        shop.button(action).scroll_into_view_if_needed()
        # All of it but the part of a pixel that rounding leaves.
        expect(shop.button(action)).to_be_in_viewport(ratio=0.97)


@each_layout
def test_nothing_is_lost_when_it_is_large_narrow_turned_or_spaced(visit: Callable[..., Shop], site: str) -> None:
    shop = visit(site, locale="fr-FR")
    shop.serve(lang="fr")
    shop.open()
    expect(shop.banner).to_be_visible()
    _hold_in_every_size(shop, "refuse", "accept", "customise", "close")
    shop.page.evaluate(SPACE)
    _hold_in_every_size(shop, "refuse", "accept", "customise", "close")
    shop.unfold_all()
    _hold_in_every_size(shop, "refuse", "accept", "save", "close")
    assert shop.button("save").evaluate("one => getComputedStyle(one).letterSpacing") != "normal"
    shop.page.evaluate(SPACE)
    assert shop.button("save").evaluate("one => getComputedStyle(one).letterSpacing") == "normal"
    _hold_in_every_size(shop, "refuse", "accept", "save", "close")


def _hold_in_every_size(shop: Shop, *actions: str) -> None:
    """At 400 and 200 %, and on a phone across and upright."""
    for width, height in ((320, 256), (640, 400), (844, 390), (390, 844)):
        shop.page.set_viewport_size({"width": width, "height": height})
        reachable(shop, *actions)
        assert shop.page.evaluate(CLIPPED) == [], (width, height)


def test_forced_colours_leave_borders_states_and_focus(visit: Callable[..., Shop]) -> None:
    shop = visit(forced_colors="active").open()
    background = "one => getComputedStyle(one).backgroundColor"
    border = "one => [getComputedStyle(one).borderTopColor, getComputedStyle(one).borderTopStyle]"
    for action in ("accept", "refuse", "customise"):
        button = shop.button(action)
        colour, style = button.evaluate(border)
        assert style == "solid"
        assert contrast(as_hex(colour), as_hex(shop.banner.evaluate(background))) >= 3
    assert shop.button("accept").evaluate(background) == shop.button("refuse").evaluate(background)
    shop.open_preferences()
    switch = shop.page.locator('consent-widget input[name="analytics"]').first
    off = switch.screenshot()
    switch.check()
    shop.page.mouse.move(0, 0)
    assert switch.screenshot() != off


def test_a_state_is_told_by_more_than_its_colour(shop: Shop) -> None:
    shop.open()
    shop.open_preferences()
    switch = shop.page.get_by_role("switch", name="Audience measurement")
    expect(switch).not_to_be_checked()
    knob = "one => getComputedStyle(one).backgroundImage.match(/at (\\d+)px/)[1]"
    off = switch.evaluate(knob)
    switch.check()
    expect(switch).to_be_checked()
    assert int(switch.evaluate(knob)) - int(off) == 20


def test_nothing_moves_by_itself(visit: Callable[..., Shop]) -> None:
    shop = visit(reduced_motion="no-preference").open()
    assert shop.page.evaluate(OBJECTS) == [0, 0]
    shop.unfold_all()
    assert shop.page.evaluate(OBJECTS) == [0, 0]
    shop.button("save").click()
    expect(shop.way_back).to_be_visible()
    assert shop.page.evaluate(OBJECTS) == [0, 0]


def test_no_clock_runs(visit: Callable[..., Shop]) -> None:
    shop = visit()
    shop.page.clock.install()
    shop.open()
    expect(shop.banner).to_be_visible()
    shop.page.clock.fast_forward("05:00:00")
    expect(shop.banner).to_be_visible()
    shop.open_preferences()
    shop.page.clock.fast_forward("05:00:00")
    expect(shop.button("save")).to_be_visible()
    assert shop.page.evaluate("consentWidget.decision") is None


def test_focus_and_switches_change_nothing_else(shop: Shop) -> None:
    shop.open()
    expect(shop.banner).to_be_visible()
    before = len(shop.server.receipts("shop"))
    stops(shop.page, 6)
    shop.unfold_all()
    for box in shop.page.locator("consent-widget input").all():
        box.check()
    stops(shop.page, 12)
    shop.settle()
    assert shop.page.url == f"{ORIGIN}/"
    assert len(shop.context.pages) == 1
    assert len(shop.server.receipts("shop")) == before
    assert shop.vendors.requests == []
    expect(shop.button("save")).to_be_visible()


def test_the_pointer_above_something_shows_nothing_more(shop: Shop) -> None:
    shop.open()
    all_text = "document.querySelector('consent-widget').shadowRoot.innerHTML.length + document.body.innerText.length"
    expect(shop.banner).to_be_visible()
    for part in ("", " dialog"):
        if part:
            shop.unfold_all()
        before = shop.page.evaluate(all_text)
        for one in shop.page.locator(f"consent-widget{part} :is(button, a, summary, input):visible").all():
            one.hover()
            assert shop.page.evaluate(all_text) == before
    assert shop.page.locator("consent-widget [title]").count() == 0


def test_what_is_read_is_in_the_name(shop: Shop) -> None:
    shop.open()
    shop.unfold_all()
    for one in shop.page.locator("consent-widget [aria-label]:is(button, a, summary)").all():
        text, name = one.inner_text().strip(), str(one.get_attribute("aria-label"))
        # A cross is a sign, not a word.
        assert text == "×" or text in name


def test_every_field_has_its_label_and_stands_in_a_named_group(shop: Shop) -> None:
    shop.open()
    shop.unfold_all()
    for purpose in ("Audience measurement", "Advertising"):
        group = shop.page.get_by_role("group", name=purpose, exact=True)
        assert group.count() == 1
        expect(shop.page.get_by_role("switch", name=purpose, exact=True)).to_be_visible()
    for vendor in ("Google Analytics", "Google Ads", "Meta pixel"):
        expect(shop.page.get_by_role("checkbox", name=vendor, exact=True)).to_be_visible()


def test_another_language_than_the_page_s_is_marked(visit: Callable[..., Shop]) -> None:
    shop = visit(locale="fi-FI")
    shop.serve(lang="fi")
    shop.open()
    expect(shop.banner).to_have_attribute("lang", "en")
    expect(shop.banner).to_have_attribute("dir", "ltr")
    # The dialog's own words stand in the same element.
    shop.open_preferences()
    assert shop.page.evaluate("document.querySelector('consent-widget').shadowRoot.querySelector('[lang]')") is None


def test_what_became_of_a_choice_is_said_where_it_was_listened_to(shop: Shop) -> None:
    shop.open()
    expect(shop.banner).to_be_visible()
    shop.page.evaluate("window.status0 = document.querySelector('consent-widget [role=status]')")
    assert shop.page.evaluate("status0.textContent") == ""
    shop.refuse_all()
    assert shop.page.evaluate("status0.isConnected && status0.textContent") == "Your choice is saved."


def test_a_preferences_script_that_does_not_come_is_said(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True)
    shop.open()
    shop.page.route("**/preferences.js*", lambda route: route.abort())
    shop.button("customise").click()
    expect(shop.banner.get_by_role("status")).to_have_text("The preferences could not be loaded. Please try again.")
    expect(shop.button("refuse")).to_be_visible()


def test_what_is_not_shown_is_not_read_out(shop: Shop) -> None:
    shop.open()
    shop.refuse_all()
    said = shop.page.locator("consent-widget").aria_snapshot()
    assert "Cookie settings" in said
    for gone in ("Accept all", "Reject all", "third parties"):
        assert gone not in said


@each_layout
def test_the_policies_stand_in_the_same_place(visit: Callable[..., Shop], site: str) -> None:
    shop = visit(site).open()
    expect(shop.banner).to_be_visible()
    order: list[Any] = shop.page.evaluate(
        "[...document.querySelectorAll('consent-widget > :is(h2, a, button)')].map((one) => one.textContent)"
    )
    assert order[3:6] == ["Privacy policy", "Cookie policy", "Reject all"]


def test_a_frame_s_stand_in_says_whose_it_is(visit: Callable[..., Shop]) -> None:
    cinema = visit("cinema")
    cinema.serve(FRAME.replace("<iframe", '<iframe title="A film"'))
    cinema.open()
    cinema.refuse_all()
    stand_in = cinema.page.get_by_role("group", name="Filmhaus")
    expect(stand_in.get_by_text("Filmhaus").first).to_be_visible()
    stand_in.get_by_role("button", name="Show once").focus()
    cinema.page.keyboard.press("Enter")
    expect(cinema.page.locator('iframe[title="A film"]')).to_be_visible()
