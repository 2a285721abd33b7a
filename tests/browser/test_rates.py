"""The marketer's page of rates in a real browser: charts, and the same without them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from .library import Library

RATES = "/console/sites/shop/rates"
CHARTS = 3
# That of vendors is folded.
UNFOLDED = 2


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
    expect(page.locator("figure.chart:visible")).to_have_count(UNFOLDED)
    page.get_by_text("Granted per banner by day and by device").click()
    expect(page.locator("figure.chart:visible")).to_have_count(CHARTS)
    page.wait_for_function("() => [...document.querySelectorAll('canvas')].every((one) => one.width > 300)")
    assert len(inked(page)) == CHARTS
    assert min(inked(page)) > 500
    # The letter of the notice stands on the axis, where its day is, and leads to the notice as the list below does.
    letter, listed = page.locator(".axis a"), page.locator(".marks a")
    assert letter.get_attribute("href") == listed.get_attribute("href")
    at, canvas = letter.bounding_box(), page.locator("canvas").first.bounding_box()
    assert at
    assert canvas
    assert canvas["x"] + canvas["width"] / 2 < at["x"] < canvas["x"] + canvas["width"]
    before = inked(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => getComputedStyle(document.body).backgroundColor === 'rgb(20, 19, 18)'")
    expect(page.locator("body")).to_have_attribute("data-drawn", str(CHARTS))
    assert len(inked(page)) == len(before)


def test_every_chart_has_its_table_behind_one_key(marketer: BrowserContext) -> None:
    page = marketer.new_page()
    page.goto(RATES)
    summaries = page.locator("details.data > summary")
    assert summaries.count() == 1 + 2 + 4 + 2  # over time, of vendors, of each split, and reference
    first = summaries.first
    page.locator(".marks a").focus()
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
    # Each bar has its name beside it.
    bars = page.get_by_role("table", name="By language")
    expect(bars.locator("svg")).to_have_count(2)
    expect(bars.get_by_role("rowheader")).to_have_text(["Others, merged"])
    page.get_by_text("Table: figures by language").click()
    # The heads, and what is merged of so few first choices.
    expect(page.get_by_role("region", name="figures by language").get_by_role("row")).to_have_count(2)
    page.get_by_text("28 days", exact=True).first.click()
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
    page.locator("summary", has_text="Share").click()
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_label("Whoever has this link").input_value()
    context = library.reader()
    context.on("console", lambda message: said.append(message.text))
    guest = context.new_page()
    guest.goto(link)
    expect(guest.locator("figure.chart:visible")).to_have_count(UNFOLDED)
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
    assert max(page.locator(".canvas").evaluate_all("(all) => all.map((one) => one.clientWidth)")) == 680
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--series-1')") != light
    page.emulate_media(media="print", color_scheme="dark")
    for part in ("form", "nav", "button", "summary"):
        expect(page.locator(f"{part}:visible")).to_have_count(0)
    expect(page.locator("canvas:visible")).to_have_count(CHARTS)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--series-1')") == light


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_first_screen_answers_without_scrolling(library: Library, width: int, height: int) -> None:
    context = library.reader("max", viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(RATES)
    expect(page.locator("body")).to_have_attribute("data-drawn", str(CHARTS))
    boxes = [one.bounding_box() for one in page.locator(".headlines li, .saying p, .axis .letter").all()]
    assert len(boxes) == 4 + 1 + 1
    assert all(box and box["y"] + box["height"] <= height for box in boxes)
    # No table is cut at its key column, and nothing is wider than the screen.
    for table in page.locator("table:visible").all():
        assert table.evaluate("(one) => one.scrollWidth <= one.parentElement.clientWidth + 1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


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
    tab_to(page, page.locator(".tools summary").first)
    page.keyboard.press("Enter")
    for name, day in (("From", "11022024"), ("To", "11032024"), ("Compare from", "10022024")):
        tab_to(page, page.get_by_label(name, exact=True))
        page.keyboard.type(day)
    tab_to(page, page.get_by_role("button", name="Show"))
    page.keyboard.press("Enter")
    page.wait_for_url("**from=2024-11-02&to=2024-11-03&by=day&notice=&compare_from=2024-10-02&compare_to=")
    expect(page.get_by_role("heading", name="Nothing was counted in these days")).to_be_visible()
    tab_to(page, page.locator(".tools summary").first)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="7 days"))
    page.keyboard.press("Enter")
    tab_to(page, page.locator("summary", has_text="Share"))
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
