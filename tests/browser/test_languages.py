"""Every language in a real browser: the banner and the preferences fit a phone, read well to tools, and stay even."""

from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize, expect

from consent_server.sites import catalogue

from . import axe
from .shop import Shop
from .site_files import LANGUAGES

LAYOUTS = ("bar", "box", "dialog")
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
    # Each layout meets every third language; the texts are the same in all.
    phone.site = LAYOUTS[LANGUAGES.index(lang) % 3]
    phone.serve(lang=lang)
    phone.open()
    expect(phone.banner).to_have_attribute("dir", catalogue.locales()[lang]["meta"]["direction"])
    expect(phone.button("refuse")).to_have_text(catalogue.locales()[lang]["banner"]["refuse"])
    # On one line, or on two where a language has long words: never a wall of text.
    assert height_of_answers(phone) <= 72
    assert phone.page.evaluate(CUT) == []
    # Chinese and Japanese break between any two characters.
    words_break = lang in ("ja", "zh")
    assert words_break or phone.page.evaluate(BROKEN) == []
    # The colours are the same in each language.
    assert axe.faults(phone.page, "consent-widget", [SMALL], colours=False) == []
    phone.unfold_all()
    assert phone.page.evaluate(CUT) == []
    assert words_break or phone.page.evaluate(BROKEN) == []
    assert axe.faults(phone.page, "consent-widget", [SMALL], colours=False) == []
    phone.page.set_viewport_size(PHONE)
    assert height_of_answers(phone) <= 72
    assert words_break or phone.page.evaluate(BROKEN) == []
    phone.page.set_viewport_size(SMALL)


def height_of_answers(shop: Shop) -> float:
    """In pixels, once it is sure that refusing takes as much room as accepting."""
    refuse, accept = (shop.button(action).bounding_box() for action in ("refuse", "accept"))
    assert refuse is not None
    assert accept is not None
    assert (refuse["width"], refuse["height"]) == (accept["width"], accept["height"])
    return refuse["height"]


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
