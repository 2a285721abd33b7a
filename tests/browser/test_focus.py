"""The keyboard on the banner and the preferences: where it goes, and that it is seen where it is."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from consent_server.sites.rules_colours import contrast

from .keyboard import as_hex, stops
from .shop import Shop
from .site_files import LAYOUTS

each_layout = pytest.mark.parametrize("site", LAYOUTS, ids=LAYOUTS.values())
COUNT = 24
LINKS = "".join(f'<p style="height:60px"><a href="#{n}" id="link{n}">Link {n}</a></p>' for n in range(COUNT))

OUTLINE = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  if (one === document.body) return null;
  const {outlineStyle, outlineWidth, outlineColor} = getComputedStyle(one);
  return [outlineStyle, parseFloat(outlineWidth), outlineColor];
}"""
# Whether something of what has the focus can be seen: WCAG 2.4.11 fails where all of it is covered.
SEEN = """async (patience) => {
  const one = document.activeElement, until = performance.now() + patience;
  const seen = () => {
    const {left, right, top, bottom} = one.getBoundingClientRect();
    return [left + 1, (left + right) / 2, right - 1].some((x) =>
      [top + 1, bottom - 1].some((y) => one.contains(document.elementFromPoint(x, y))));
  };
  while (!seen() && performance.now() < until) await new Promise(requestAnimationFrame);
  return [one.id, seen()];
}"""


@each_layout
def test_the_keyboard_meets_things_in_the_order_of_reading_and_is_not_kept(
    visit: Callable[..., Shop], site: str
) -> None:
    shop = visit(site)
    shop.serve('<a id="skip" href="#main">To the content</a><main id="main"><a id="inside" href="#x">A</a></main>')
    shop.open()
    expect(shop.banner).to_be_visible()
    assert shop.page.evaluate("document.activeElement === document.body")
    expected = ["close", "Privacy policy", "Cookie policy", "refuse", "accept", "customise", "skip", "inside"]
    assert stops(shop.page, 8) == expected
    assert stops(shop.page, 3, "Shift+Tab") == ["skip", "customise", "accept"]


def test_the_preferences_hold_the_focus_and_give_it_back(shop: Shop) -> None:
    shop.serve(
        '<main>A page</main><a id="own" href="#x" data-consent-open>Cookie settings</a><a id="end" href="#y">E</a>'
    )
    shop.open()
    shop.button("customise").focus()
    shop.page.keyboard.press("Enter")
    expect(shop.page.get_by_role("heading", name="Manage preferences")).to_be_focused()
    seen = stops(shop.page, 14)
    assert {"refuse", "accept", "save", "close"} <= set(seen)
    assert not {"end", "own", "customise"} & set(seen)
    shop.page.keyboard.press("Escape")
    expect(shop.button("customise")).to_be_focused()
    shop.page.locator("#own").focus()
    shop.page.keyboard.press("Enter")
    expect(shop.button("save")).to_be_visible()
    shop.button("close").click()
    expect(shop.page.locator("#own")).to_be_focused()


@pytest.mark.parametrize("end", ["Escape", "save"])
def test_the_way_back_has_the_focus_again_after_the_preferences(shop: Shop, end: str) -> None:
    shop.open()
    shop.refuse_all()
    shop.way_back.focus()
    shop.page.keyboard.press("Enter")
    expect(shop.button("save")).to_be_visible()
    if end == "save":
        shop.button("save").focus()
        shop.page.keyboard.press("Enter")
    else:
        shop.page.keyboard.press("Escape")
    expect(shop.button("save")).to_have_count(0)
    expect(shop.way_back).to_be_focused()


@pytest.mark.parametrize("site", ["shop", "styled"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_stop_shows_that_it_has_the_focus(visit: Callable[..., Shop], site: str, scheme: str) -> None:
    shop = visit(site, color_scheme=scheme).open()
    expect(shop.banner).to_be_visible()
    surface = as_hex(shop.banner.evaluate("one => getComputedStyle(one).backgroundColor"))
    for _ in range(6):
        shop.page.keyboard.press("Tab")
        _shown(shop.page.evaluate(OUTLINE), surface)
    shop.unfold_all()
    for _ in range(12):
        shop.page.keyboard.press("Tab")
        _shown(shop.page.evaluate(OUTLINE), surface)


def _shown(outline: tuple[str, float, str] | None, surface: str) -> None:
    # Behind the last stop of a modal dialog comes the browser's own.
    if outline is None:
        return
    style, width, colour = outline
    assert style == "solid"
    assert width >= 2
    assert contrast(as_hex(colour), surface) >= 3


@each_layout
def test_what_has_the_focus_is_never_hidden(visit: Callable[..., Shop], site: str) -> None:
    shop = visit(site)
    shop.serve(LINKS)
    # What makes room comes with the first key; on a phone and at 400 % the banner may have to move to the other edge.
    for width, height in ((1280, 600), (390, 844), (320, 256)):
        shop.page.set_viewport_size({"width": width, "height": height})
        shop.open()
        expect(shop.banner).to_be_visible()
        shop.page.locator("#link0").focus()
        there = [(f"link{number}", True) for number in range(1, COUNT)]
        back = [(f"link{number}", True) for number in reversed(range(COUNT - 1))]
        for key, expected in (("Tab", there), ("Shift+Tab", back)):
            assert [_look(shop.page, key, 2000) for _ in expected] == expected, (width, height)


def test_the_way_back_hides_nothing_that_has_the_focus(shop: Shop) -> None:
    shop.serve(f'{LINKS}<a id="last" href="#last" style="position:fixed;bottom:20px;left:20px">x</a>')
    shop.open()
    shop.refuse_all()
    shop.page.locator(f"#link{COUNT - 1}").focus()
    assert _look(shop.page, "Tab", 2000) == ("last", True)


def _look(page: Page, key: str, patience: int) -> tuple[str, bool]:
    """Press a key; what has the focus then, and whether it can be seen, at the latest after so many milliseconds."""
    page.keyboard.press(key)
    name, seen = page.evaluate(SEEN, patience)
    return name, seen
