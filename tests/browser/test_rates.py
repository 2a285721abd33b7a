"""The marketer's page of rates in a real browser: charts, and the same without them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from .library import Library

RATES = "/console/sites/shop/rates"
CHARTS = 8


@pytest.fixture
def said() -> list[str]:
    """Everything that the browser complains of: faults of scripts, and what the content policy refused."""
    return []


@pytest.fixture
def marketer(library: Library, said: list[str]) -> Iterator[BrowserContext]:
    """Max, whose page may have no fault at all."""
    context = library.reader("max")
    context.on("console", lambda message: said.append(message.text))
    context.on("weberror", lambda error: said.append(str(error.error)))
    yield context
    context.close()
    assert said == []


def inked(page: Page) -> list[int]:
    """How many pixels of each chart are drawn on."""
    script = """(all) => all.map((one) => {
      const copy = document.createElement("canvas");
      [copy.width, copy.height] = [one.width, one.height];
      const pen = copy.getContext("2d", { willReadFrequently: true });
      pen.drawImage(one, 0, 0);
      const { data } = pen.getImageData(0, 0, copy.width, copy.height);
      return data.filter((value, place) => place % 4 === 3 && value > 0).length;
    })"""
    found: list[int] = page.locator("canvas").evaluate_all(script)
    return found


def test_the_charts_are_drawn_with_a_notice_on_their_axis(marketer: BrowserContext) -> None:
    page = marketer.new_page()
    page.goto(RATES)
    expect(page.locator("figure.chart:visible")).to_have_count(CHARTS)
    assert len(inked(page)) == CHARTS
    assert min(inked(page)) > 500
    expect(page.locator(".marks li")).to_have_count(1)
    before = inked(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => getComputedStyle(document.body).backgroundColor === 'rgb(20, 19, 18)'")
    expect(page.locator("body")).to_have_attribute("data-drawn", str(CHARTS))
    assert len(inked(page)) == len(before)


def test_every_chart_has_its_table_behind_one_key(marketer: BrowserContext) -> None:
    page = marketer.new_page()
    page.goto(RATES)
    summaries = page.locator("details.data > summary")
    assert summaries.count() == CHARTS - 1  # rates and counts by day share one
    first = summaries.first
    page.get_by_role("link", name="notice").last.focus()
    while not first.evaluate("(one) => one === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    table = page.get_by_role("region", name="rates and counts by day")
    expect(table).to_be_visible()
    page.keyboard.press("Tab")
    expect(table).to_be_focused()  # so that arrow keys scroll it
    shown = page.locator(".funnel strong").nth(1).inner_text()
    assert shown == "120"
    expect(table.get_by_role("row").last.get_by_role("cell").first).to_have_text(shown)


def test_without_a_script_the_tables_say_it(library: Library) -> None:
    context = library.reader("max", java_script_enabled=False)
    page = context.new_page()
    page.goto(RATES)
    expect(page.locator("canvas:visible")).to_have_count(0)
    expect(page.locator(".funnel svg")).to_have_count(3)
    page.get_by_text("Table: figures by language").click()
    # The heads, and what is merged of so few first choices.
    expect(page.get_by_role("region", name="figures by language").get_by_role("row")).to_have_count(2)
    page.locator("select[name=by]").select_option("week")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Table: rates and counts by week")).to_be_visible()
    assert "by=week" in page.url
    context.close()


def test_what_is_shared_opens_for_somebody_who_is_not_signed_in(
    library: Library, marketer: BrowserContext, said: list[str]
) -> None:
    page = marketer.new_page()
    page.goto(RATES)
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_label("Whoever has this link").input_value()
    context = library.reader()
    context.on("console", lambda message: said.append(message.text))
    guest = context.new_page()
    guest.goto(link)
    expect(guest.locator("figure.chart:visible")).to_have_count(CHARTS)
    expect(guest.get_by_role("heading", name="Consent rates")).to_be_visible()
    assert guest.locator("form, nav").count() == 0
    assert context.cookies() == []
    context.close()


def test_on_paper_the_charts_are_for_white_paper(marketer: BrowserContext) -> None:
    page = marketer.new_page()
    page.emulate_media(color_scheme="dark")
    page.goto(RATES)
    light = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--series-1')")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--series-1')") != light
    page.emulate_media(media="print", color_scheme="dark")
    for part in ("form", "nav", "button", "summary"):
        expect(page.locator(f"{part}:visible")).to_have_count(0)
    expect(page.locator("canvas:visible")).to_have_count(CHARTS)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--series-1')") == light


def tab_to(page: Page, place: Locator) -> None:
    """Go there by the Tab key alone."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if place.evaluate("(one) => one === document.activeElement"):
            return
    raise AssertionError(f"The keyboard does not reach {place}.")


def test_days_are_chosen_and_a_report_is_shared_by_keyboard(marketer: BrowserContext) -> None:
    page = marketer.new_page()
    page.goto(RATES)
    for name, day in (("From", "11022024"), ("To", "11032024"), ("Compare from", "10022024")):
        tab_to(page, page.get_by_label(name, exact=True))
        page.keyboard.type(day)
    tab_to(page, page.get_by_role("button", name="Show"))
    page.keyboard.press("Enter")
    page.wait_for_url("**from=2024-11-02&to=2024-11-03&by=day&notice=&compare_from=2024-10-02&compare_to=")
    expect(page.get_by_role("heading", name="Nothing was counted in these days")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="7 days"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Ends after"))
    page.keyboard.press("ArrowUp")
    tab_to(page, page.get_by_role("button", name="Make the link"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="Look at it"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/reports/**")
    expect(page.get_by_text("against 2 Oct 2024 to 3 Oct 2024")).to_be_visible()


def test_an_arm_is_made_the_notice_by_keyboard(library: Library) -> None:
    context = library.reader("olga")
    page = context.new_page()
    page.goto("/console/sites/keyed/experiment")
    tab_to(page, page.get_by_role("button", name="Make it the notice (title)"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("made the notice", exact=True)).to_be_visible()
    context.close()
