"""Every language in a real browser: the banner and the preferences fit a phone, read well to tools, and stay even."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import ViewportSize, expect

from consent_server.sites import catalogue

from . import axe
from .servers import ConsentServer
from .shop import Shop
from .site_files import ADS_TAG, ANALYTICS_TAG, FILMS, PIXEL_TAG, site_file

LANGUAGES = sorted(catalogue.locales())
SMALL = ViewportSize(width=320, height=568)
# What is cut off at a side.
CUT = """() => [...document.querySelectorAll("consent-widget :is(button, h2, p, a, label)")]
  .filter((one) => one.offsetWidth && getComputedStyle(one).display != "inline")
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent)"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsentServer]:
    """A server with one site that speaks every language, for each layout."""
    server = ConsentServer(tmp_path_factory.mktemp("world"))
    spoken = f"languages = {LANGUAGES}".replace("'", '"')
    texts = (
        site_file(layout, ANALYTICS_TAG, ADS_TAG, PIXEL_TAG, FILMS, layout=layout).replace(
            'languages = ["en", "fr"]', spoken
        )
        for layout in ("bar", "box", "dialog")
    )
    server.prepare(*texts)
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_language_fits(visit: Callable[..., Shop], world: ConsentServer, lang: str) -> None:
    # Each layout meets every third language; the texts are the same in all.
    site = ("bar", "box", "dialog")[LANGUAGES.index(lang) % 3]
    shop = visit(site, server=world, viewport=SMALL)
    shop.serve(lang=lang)
    shop.open()
    expect(shop.banner).to_have_attribute("dir", catalogue.locales()[lang]["meta"]["direction"])
    expect(shop.button("refuse")).to_have_text(catalogue.locales()[lang]["banner"]["refuse"])
    refuse, accept = (shop.button(action).bounding_box() for action in ("refuse", "accept"))
    assert refuse is not None
    assert accept is not None
    assert (refuse["width"], refuse["height"]) == (accept["width"], accept["height"])
    # On one line, or on two where a language has long words: never a wall of text.
    assert refuse["height"] <= 72
    assert shop.page.evaluate(CUT) == []
    assert axe.faults(shop.page, "consent-widget", [SMALL]) == []
    shop.unfold_all()
    assert shop.page.evaluate(CUT) == []
    # Chinese and Japanese break between any two characters.
    assert lang in ("ja", "zh") or shop.page.evaluate(BROKEN) == []
    assert axe.faults(shop.page, "consent-widget", [SMALL]) == []


# Words of a cookie table that stand on two lines: of the kind of storage and of the lifetime.
BROKEN = """() => {
  const broken = [], root = document.querySelector("consent-widget").shadowRoot;
  for (const cell of root.querySelectorAll("td:first-child, td:last-child"))
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


def test_the_name_of_a_cookie_reads_from_left_to_right_among_words_that_do_not(
    visit: Callable[..., Shop], world: ConsentServer
) -> None:
    shop = visit("bar", server=world)
    shop.serve(lang="ar")
    shop.open()
    shop.unfold_all()
    assert shop.page.locator("consent-widget td b", has_text="_gcl_au").evaluate(LEFT)
    shop.page.goto(f"{world.url}/sites/bar/declaration?lang=he")
    assert shop.page.locator("code", has_text="_gcl_au").evaluate(LEFT)
