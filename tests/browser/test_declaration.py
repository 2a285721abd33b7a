"""The declaration as people meet it: the server's page, and the element on a page of the site's own."""

from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize, expect

from . import axe
from .policies import NONCE, RECORD_VIOLATIONS, policy
from .shop import Shop
from .site_files import ORIGIN

LINK = '<a href="https://consent.example/sites/every/declaration">Cookies and third parties</a>'
ELEMENT = f"<main><h1>Privacy</h1><consent-declaration>{LINK}</consent-declaration></main>"
# What axe does not see of a page that leaves it to the browser.
GROUND = "<style>html { background: Canvas }</style>"


def script(shop: Shop, attributes: str = "", query: str = "") -> str:
    """The tag of the element."""
    source = f"{shop.server.url}/widget/{shop.site}/declaration.js{query}"
    return f'<script async src="{source}"{attributes}></script>'


@pytest.fixture
def every(visit: Callable[..., Shop]) -> Shop:
    """A visitor of the site with every vendor, on a page that tells of violations."""
    return visit("every", init=RECORD_VIOLATIONS)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_page_passes_axe_and_fits_small_screens(every: Shop, lang: str) -> None:
    every.page.goto(f"{every.server.url}/sites/every/declaration?lang={lang}")
    small = [*axe.SIZES, ViewportSize(width=320, height=256)]
    assert axe.faults(every.page, sizes=small) == []


COLUMNS = """(all) => [...new Set(all.map((row) => [...row.cells].map((cell) => cell.offsetLeft).join(" ")))]"""
UNFOLD = "document.querySelectorAll('main details').forEach((one) => { one.open = true })"


def test_each_third_party_has_the_same_columns_and_on_a_phone_its_rows_are_stacks(every: Shop) -> None:
    every.page.goto(f"{every.server.url}/sites/every/declaration?lang=en")
    every.page.evaluate(UNFOLD)
    rows = every.page.locator("table tr")
    assert len(rows.evaluate_all(COLUMNS)) == 1
    assert axe.faults(every.page, "main", [axe.SIZES[0]], colours=False) == []
    every.page.set_viewport_size({"width": 390, "height": 844})
    # Each cell begins where its row does. It is a cell still, and says of which column.
    assert {begin for row in rows.evaluate_all(COLUMNS) for begin in row.split()} == {"0"}
    expect(every.page.get_by_role("cell", name="Kept for").first).to_be_visible()
    scroll = "() => [...document.querySelectorAll('.scroll')].some((one) => one.scrollWidth > one.clientWidth)"
    assert not every.page.evaluate(scroll)


def test_its_contents_lead_to_every_section(every: Shop) -> None:
    every.page.goto(f"{every.server.url}/sites/every/declaration?lang=en")
    contents = every.page.get_by_role("navigation", name="On this page")
    ids = every.page.locator("main section h2").evaluate_all("(all) => all.map((one) => '#' + one.id)")
    assert contents.get_by_role("link").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))") == ids


def test_on_a_page_of_the_site_it_stands_in_the_page_s_language(every: Shop) -> None:
    every.serve(ELEMENT, head=script(every) + GROUND, lang="fr-CA")
    every.page.goto(ORIGIN)
    element = every.page.locator("consent-declaration")
    expect(element.get_by_role("heading", name="Google Analytics", exact=True)).to_be_visible()
    expect(element).to_have_attribute("lang", "fr")
    expect(element.get_by_role("heading", name="Finalités")).to_be_visible()
    element.get_by_role("heading", name="Meta pixel").click()
    expect(element.get_by_role("row", name="_fbp")).to_be_visible()
    expect(element.get_by_role("link", name="Cookies and third parties")).to_have_count(0)
    assert axe.faults(every.page, "consent-declaration") == []


def test_a_strict_page_that_trusts_no_strings_has_it_without_a_violation(every: Shop) -> None:
    rules = policy(every, "require-trusted-types-for 'script'", "trusted-types consent-widget")
    head = every.tag(f' nonce="{NONCE}"') + script(every, f' nonce="{NONCE}"')
    every.serve(ELEMENT, head=head, headers=rules)
    every.open()
    every.refuse_all()
    expect(every.page.locator("consent-declaration section")).to_have_count(8)
    assert every.page.evaluate("violations") == []
    assert every.vendors.requests == []


def test_its_link_opens_the_preferences_where_the_widget_is(every: Shop) -> None:
    every.serve(ELEMENT, head=every.tag() + script(every))
    every.open()
    every.refuse_all()
    every.page.locator("consent-declaration [data-consent-open]").click()
    expect(every.page.locator("consent-widget dialog")).to_be_visible()
    assert every.page.url == f"{ORIGIN}/"


def test_an_element_that_comes_later_is_filled_and_the_tag_may_stand_twice(every: Shop) -> None:
    every.serve("<main></main>", head=script(every) + script(every))
    every.page.goto(ORIGIN)
    every.page.evaluate("document.querySelector('main').append(document.createElement('consent-declaration'))")
    expect(every.page.locator("consent-declaration section").first).to_be_visible()


def test_where_the_server_does_not_answer_the_link_of_the_page_stays(every: Shop) -> None:
    every.context.route("**/sites/every/declaration?*", lambda route: route.abort())
    every.serve(ELEMENT, head=script(every))
    every.page.goto(ORIGIN)
    every.page.wait_for_function("() => customElements.get('consent-declaration')")
    every.settle()
    expect(every.page.get_by_role("link", name="Cookies and third parties")).to_be_visible()


def test_the_page_needs_no_script_and_prints_without_its_buttons(visit: Callable[..., Shop]) -> None:
    plain = visit("every", java_script_enabled=False)
    plain.page.goto(f"{plain.server.url}/sites/every/declaration?lang=en")
    expect(plain.page.get_by_role("heading", name="Your rights")).to_be_visible()
    expect(plain.page.get_by_role("button", name="Print")).to_have_count(0)
    expect(plain.page.get_by_role("link", name="Download as JSON")).to_be_visible()
    plain.page.emulate_media(media="print")
    expect(plain.page.get_by_role("link", name="Download as JSON")).to_be_hidden()
    expect(plain.page.get_by_role("heading", name="Your rights")).to_be_visible()
