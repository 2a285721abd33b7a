"""Every language in a real browser: the banner and the preferences fit a phone, read well to tools, and stay even."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from consent_server.sites import catalogue
from consent_server.sites.widget_code import layout_names
from tests.support.environment import NARROW, WIDE

from . import axe
from .shop import Shop
from .site_files import LANGUAGES

LAYOUTS = sorted(layout_names())
SMALL = ViewportSize(width=320, height=568)
# The narrowest on which the preferences have both answers in one row.
PHONE = ViewportSize(width=360, height=640)
# What is cut off at a side.
CUT = """() => [...document.querySelectorAll("consent-widget :is(button, h2, p, a, label)")]
  .filter((one) => one.offsetWidth && getComputedStyle(one).display != "inline")
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent)"""


@pytest.fixture(scope="module")
def phone(visit_once: Callable[..., Shop]) -> Shop:
    """One visitor who reads them all."""
    return visit_once(viewport=SMALL)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_language_fits(phone: Shop, lang: str) -> None:
    # The layouts take turns; the texts are the same in all.
    phone.site = LAYOUTS[LANGUAGES.index(lang) % len(LAYOUTS)]
    phone.serve(lang=lang)
    phone.open()
    expect(phone.banner).to_have_attribute("dir", catalogue.locales()[lang]["meta"]["direction"])
    expect(phone.button("refuse")).to_have_text(catalogue.locales()[lang]["banner"]["refuse"])
    for _ in in_each_font(phone.page):
        assert_words_fit(phone, lang)
        assert_answers_are_even(phone)
    assert_first_layer_is_short(phone)
    # Markup and colours are the same in each language.
    assert axe.faults(phone.page, "consent-widget", [SMALL], rules=axe.WORDS, colours=False) == []
    phone.unfold_all()
    for _ in in_each_font(phone.page):
        assert_words_fit(phone, lang)
    assert axe.faults(phone.page, "consent-widget", [SMALL], rules=axe.WORDS, colours=False) == []
    phone.page.set_viewport_size(PHONE)
    for _ in in_each_font(phone.page):
        assert_words_fit(phone, lang)
        assert_answers_are_even(phone)
    phone.page.set_viewport_size(SMALL)


def in_each_font(page: Page) -> Iterator[str]:
    """The page, and the widget with it, in a narrow and in a wide family."""
    for family in (NARROW, WIDE):
        page.evaluate("(family) => { document.body.style.fontFamily = family }", family)
        yield family


def assert_words_fit(shop: Shop, lang: str) -> None:
    assert shop.page.evaluate(CUT) == []
    # Chinese and Japanese break between any two characters.
    assert lang in ("ja", "zh") or shop.page.evaluate(BROKEN) == []


def assert_answers_are_even(shop: Shop) -> None:
    """On one line, or on two where a language has long words: never a wall of text."""
    refuse, accept = (shop.button(action).bounding_box() for action in ("refuse", "accept"))
    assert refuse is not None
    assert accept is not None
    assert (refuse["width"], refuse["height"]) == (accept["width"], accept["height"])
    assert refuse["height"] <= 72


# Of the first layer's text the lines that are seen, and whether there are more; its button for them; its answers.
FIRST = """() => {
  const host = document.querySelector("consent-widget"), text = host.querySelector("p");
  return [text.clientHeight / parseFloat(getComputedStyle(text).lineHeight), text.scrollHeight > text.clientHeight,
    !host.querySelector("[data-action=more]").hidden,
    [...host.querySelectorAll("[slot=a]")].map((one) => one.getBoundingClientRect().height)];
}"""


def assert_first_layer_is_short(shop: Shop) -> None:
    """On a phone five lines, the rest behind a button, and no answer of one line beside one of two."""
    page = shop.page
    for family in (NARROW, WIDE):
        page.evaluate("(family) => { document.body.style.fontFamily = family; consentWidget.show() }", family)
        lines, is_cut, is_more, heights = page.evaluate(FIRST)
        assert lines <= 5.1
        assert is_more == is_cut
        assert max(heights) - min(heights) < 1 or shop.banner.get_attribute("data-tall") is not None
        assert min(heights) >= 44


# Words that stand on two lines: of buttons, and of the kind of storage and the lifetime in a cookie table.
BROKEN = """() => {
  const broken = [], host = document.querySelector("consent-widget");
  const cells = host.shadowRoot.querySelectorAll("td:first-child, td:last-child");
  for (const cell of [...cells, ...host.querySelectorAll("button")])
    for (const text of cell.childNodes)
      if (text instanceof Text)
        for (const {0: word, index} of text.data.matchAll(/\\S+/g)) {
          const range = document.createRange();
          range.setStart(text, index);
          range.setEnd(text, index + word.length);
          if (new Set([...range.getClientRects()].map(({top}) => top)).size > 1) broken.push(word);
        }
  return broken;
}"""
LEFT = """(one) => {
  const range = document.createRange();
  const at = (from, to) => (range.setStart(one.firstChild, from), range.setEnd(one.firstChild, to),
    range.getBoundingClientRect().left);
  return at(0, 1) < at(1, 2);
}"""


def test_the_name_of_a_cookie_reads_from_left_to_right_among_words_that_do_not(phone: Shop) -> None:
    phone.site = "bar"
    phone.serve(lang="ar")
    phone.open()
    phone.unfold_all()
    assert phone.page.locator("consent-widget td b", has_text="_gcl_au").evaluate(LEFT)
    phone.page.goto(f"{phone.server.url}/sites/bar/declaration?lang=he")
    assert phone.page.locator("code", has_text="_gcl_au").evaluate(LEFT)


FORM = """() => [...document.querySelectorAll(".halves button")].map((one) => [one.offsetWidth, one.offsetHeight])"""


def test_the_answers_of_the_form_are_even_in_every_language(phone: Shop) -> None:
    page = phone.page
    for lang in LANGUAGES:
        page.goto(f"{phone.server.url}/sites/bar/choice?lang={lang}")
        for family in in_each_font(page):
            refuse, accept = page.evaluate(FORM)
            assert refuse == accept, (lang, family)


# The last one is installed beside the narrow family, or is nowhere.
SHOWN_IN = {NARROW: NARROW, WIDE: WIDE, "system-ui": WIDE, "Roboto": WIDE}
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_the_browser_has_the_fonts_that_are_named_and_no_others(visit: Callable[..., Shop]) -> None:
    page = visit().page
    # Each has its paragraph: the browser tells of the font before last where a style has just been changed.
    page.set_content("".join(f"<p style='font-family: {family}'>Accept all</p>" for family in SHOWN_IN))
    page.evaluate(DRAWN)
    client = page.context.new_cdp_session(page)
    client.send("DOM.enable")
    client.send("CSS.enable")
    root = client.send("DOM.getDocument", {"depth": -1})["root"]["nodeId"]
    nodes = client.send("DOM.querySelectorAll", {"nodeId": root, "selector": "p"})["nodeIds"]
    fonts = [client.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"] for node in nodes]
    assert [[font["familyName"] for font in used] for used in fonts] == [[shown] for shown in SHOWN_IN.values()]
