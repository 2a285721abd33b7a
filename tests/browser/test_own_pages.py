"""The consoles as an auditor uses them: without any script, by keyboard, and on paper."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.support.people import PASSWORD

from .library import Library

RECORDS = "/console/sites/shop/records"


@pytest.fixture
def ada(library: Library) -> Iterator[Page]:
    """The shop's auditor, in a browser that runs no script."""
    context = library.reader("ada", java_script_enabled=False)
    page = context.new_page()
    page.goto("/console")
    yield page
    context.close()


def found(page: Page) -> list[str]:
    """The receipt ids of the list on the page."""
    links = page.locator(".lines a.when").all()
    return [str(link.get_attribute("href")).rpartition("/")[2] for link in links]


def follow(control: Locator) -> None:
    """Click what leads to another page, and wait until that is there."""
    with control.page.expect_event("load"):
        control.click()


def test_signing_in_leads_to_where_one_wanted_to_go(library: Library) -> None:
    library.reader("ada").close()
    context = library.reader(java_script_enabled=False)
    page = context.new_page()
    page.goto(RECORDS)
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("E-mail address")).to_have_value("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(library.server.url + RECORDS)
    page.get_by_role("button", name="Sign out").click()
    page.goto(RECORDS)
    expect(page).to_have_title("Sign in")
    context.close()


def test_a_record_is_found_by_all_that_it_is_known_by(ada: Page, library: Library) -> None:
    grant, today = library.receipts["grant"], datetime.now(UTC).date().isoformat()
    ada.get_by_role("link", name="Records", exact=True).click()
    form = ada.locator("form.fields").first
    for label, value in (
        ("Visitor", grant["visitor"]), ("Receipt id", grant["receipt_id"]), ("Notice", library.notice()),
        ("From", today), ("To and including", today),
    ):  # fmt: skip
        form.get_by_label(label, exact=True).fill(value)
        follow(form.get_by_role("button", name="Find"))
        if label == "Receipt id":
            expect(ada.get_by_role("heading", level=1)).to_contain_text("Accepted all")
        else:
            expect(ada.get_by_role("heading", level=2, name="What was found")).to_be_visible()
            assert found(ada)
        ada.goto(RECORDS)
    for label, option, count in (("Decision", "Withdrew", 1), ("Granted purpose", "analytics", 2)):
        form.get_by_label(label).select_option(option)
        follow(form.get_by_role("button", name="Find"))
        assert len(found(ada)) == count
        follow(ada.get_by_role("link", name="Show all"))
    follow(ada.get_by_role("link", name="Older"))
    assert grant["receipt_id"] in found(ada)


def test_a_receipt_that_somebody_has_leads_to_its_record(ada: Page, library: Library) -> None:
    receipt = library.receipts["refusal"]["receipt"]
    file: FilePayload = {"name": "receipt.jws", "mimeType": "", "buffer": receipt.encode()}
    for given in (receipt, file):
        ada.goto(RECORDS)
        ada.get_by_text("Find the record of a receipt").click()
        if isinstance(given, str):
            ada.get_by_label("Paste it").fill(given)
        else:
            ada.get_by_label("Or choose or drop its file").set_input_files(given)
        ada.get_by_role("button", name="Check and find").click()
        expect(ada.get_by_role("heading", level=1)).to_contain_text("Refused all")
        expect(ada.get_by_text("checked just now")).to_be_visible()


def test_a_record_can_be_taken_along(ada: Page, library: Library) -> None:
    grant = library.receipts["grant"]
    ada.goto(f"{RECORDS}/{grant['receipt_id']}")
    for name in ("JWS", "JSON", "Proof"):
        with ada.expect_download() as coming:
            ada.get_by_role("link", name=name, exact=True).click()
        assert grant["receipt_id"] in coming.value.suggested_filename
    expect(ada.locator('[aria-current="true"]')).to_contain_text("Accepted all")
    ada.locator("ol.lines").get_by_text("Withdrew").locator("..").get_by_role("link").click()
    expect(ada.get_by_role("heading", level=1)).to_contain_text("Withdrew")
    ada.goto(RECORDS)
    form = ada.locator("form.fields").last
    for label in ("From", "To and including"):
        form.get_by_label(label).fill(datetime.now(UTC).date().isoformat())
    with ada.expect_download() as coming:
        form.get_by_role("button", name="Download").click()
    assert coming.value.suggested_filename.endswith(".zip")


def test_what_is_drawn_can_be_drawn_again(ada: Page) -> None:
    ada.get_by_role("link", name="Spot check", exact=True).click()
    ada.get_by_label("Count").fill("5")
    follow(ada.get_by_role("button", name="Draw"))
    drawn = found(ada)
    assert len(drawn) == 5
    seed = re.search(r"seed=(\w+)&size=(\d+)", urlsplit(ada.url).query)
    assert seed
    ada.goto("/console/sites/shop/sample")
    for label, value in (("Count", "5"), ("Seed", seed[1]), ("Of the first leaves", seed[2])):
        ada.get_by_label(label).fill(value)
    follow(ada.get_by_role("button", name="Draw"))
    assert found(ada) == drawn


def test_the_whole_ledger_is_replayed_with_one_button(library: Library) -> None:
    page = library.page("ada")
    page.goto("/console/sites/shop/gaps")
    start, status = page.get_by_role("button", name="Replay all of it"), page.locator("[data-replay] [role=status]")
    start.click()
    expect(status).to_have_attribute("data-outcome", "ok")
    progress = page.locator("progress")
    assert progress.get_attribute("value") == progress.get_attribute("max") != "0"
    # Two stretches, of which the second holds a fault; then a server that is away.
    ends = {"0": 2048, "2048": 3000}
    stretches = {
        first: {"end": end, "size": 3000, "removed": 1, "faults": [f"leaf {end - 1}: moved"] if end == 3000 else []}
        for first, end in ends.items()
    }
    page.route("**/replay?from=*", lambda route: route.fulfill(json=stretches[route.request.url.rpartition("=")[2]]))
    start.click()
    expect(status).to_have_attribute("data-outcome", "fail")
    expect(page.locator("[data-replay] li")).to_have_text(["leaf 2999: moved"])
    page.unroute("**/replay?from=*")
    page.route("**/replay?from=*", lambda route: route.abort())
    start.click()
    expect(status).to_have_attribute("data-outcome", "wait")
    expect(page.locator("[data-replay] li")).to_have_count(0)
    page.unroute("**/replay?from=*")


def test_the_ledger_is_replayed(ada: Page) -> None:
    ada.get_by_role("link", name="Gaps", exact=True).click()
    ada.get_by_role("link", name="A stretch at a time").click()
    expect(ada.get_by_role("heading", level=2)).to_contain_text("Nothing was altered")
    ada.get_by_role("link", name="The whole report").click()
    expect(ada.get_by_role("heading", level=1)).to_have_text("Gaps")


_FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  return [one.textContent.trim() || one.getAttribute("name"),
    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0, box.top + scrollY];
}"""


def test_the_keyboard_goes_through_a_page_in_the_order_of_reading(library: Library) -> None:
    context = library.reader("ada", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{RECORDS}?action=refuse_all")
    stops = []
    for _ in range(14):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(_FOCUSED))
    side_bar = ["Home", "Records", "Spot check", "Gaps", "ada@example.org auditor", "Sign out"]
    assert [name for name, *_ in stops[:7]] == ["To the content", *side_bar]
    # Downwards, in the bar and in the page beside it; what stands in one row may differ by its own height.
    for part in (stops[1:7], stops[7:]):
        assert all(below > above - 8 for (_, _, above), (_, _, below) in pairwise(part))
    assert [name for name, visible, _ in stops if not visible] == []
    page.goto(f"{RECORDS}?action=refuse_all")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    context.close()


@pytest.mark.parametrize("kind", ["record", "receipt"])
def test_on_paper_stands_what_proves_and_no_button(library: Library, kind: str) -> None:
    grant = library.receipts["grant"]
    context = library.reader("ada", color_scheme="dark")
    page = context.new_page()
    page.goto(f"{RECORDS}/{grant['receipt_id']}" if kind == "record" else grant["receipt_url"])
    page.emulate_media(media="print")
    expect(page.get_by_text(grant["receipt_id"]).first).to_be_visible()
    expect(page.get_by_text(library.notice()).first).to_be_visible()
    for control in page.locator("button, .button, nav, form, input").all():
        expect(control).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    context.close()


def test_on_a_phone_the_bar_is_a_sheet_that_needs_no_script(library: Library) -> None:
    context = library.reader("ada", viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.goto(RECORDS)
    expect(page.get_by_role("navigation", name="Console")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("navigation", name="Console").get_by_role("link", name="Gaps").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gaps")
    expect(page.get_by_role("navigation", name="Console")).to_be_hidden()
    context.close()


def test_the_site_is_switched_on_the_same_page(library: Library) -> None:
    context = library.reader("olga", java_script_enabled=False)
    page = context.new_page()
    page.goto("/console/sites/shop/gaps")
    page.locator(".switcher summary").click()
    page.locator(".switcher").get_by_role("link", name="The quiet shop").click()
    expect(page).to_have_url(f"{library.server.url}/console/sites/quiet/gaps")
    # A request for erasure that waits is counted beside its page.
    urlopen(Request(f"{library.receipts['shop choice']['receipt_url']}/erasure", method="POST")).close()
    page.goto("/console/sites/shop/gaps")
    expect(page.get_by_role("link", name="Erasure 1 waiting")).to_be_visible()
    context.close()
