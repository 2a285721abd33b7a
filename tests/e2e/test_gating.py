"""Markup that the site gates itself: scripts, templates, images, frames, in document order."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from .shop import Shop

ORDERED = """
<script type="text/plain" data-consent="media" data-src="https://films.example/one.js"></script>
<script type="text/plain" data-consent="media">(window.order ??= []).push("inline")</script>
<template data-consent="filmhaus"><p id="inner">In the template</p>
  <script>(window.order ??= []).push("template")</script></template>
<script type="text/plain" data-consent="media" src="https://films.example/two.js"></script>
<script type="text/plain" data-consent="media">(window.order ??= []).push("last")</script>
<img data-consent="media" data-src="https://films.example/still.png" alt="A still">
"""
OPENED = "https://films.example/watch"
FRAME = f'<iframe data-consent="filmhaus" data-src="{OPENED}" title="Film" width="400" height="225"></iframe>'
ADD = "html => document.querySelector('main').insertAdjacentHTML('beforeend', html)"


@pytest.fixture
def cinema(visit: Callable[..., Shop]) -> Shop:
    """A visitor of a site with Analytics and a vendor of the site's own."""
    return visit("cinema")


def placeholder(shop: Shop) -> Locator:
    """What stands in for the frame."""
    return shop.page.locator("consent-placeholder")


def test_gated_markup_runs_in_document_order_after_the_grant(cinema: Shop) -> None:
    cinema.serve(ORDERED)
    cinema.open()
    cinema.settle()
    assert cinema.page.evaluate("window.order") is None
    assert cinema.page.locator("#inner").count() == 0
    assert cinema.vendors.requests == []
    cinema.choose(media=True)
    cinema.page.wait_for_function("window.order?.length == 5")
    assert cinema.page.evaluate("order") == ["one.js", "inline", "template", "two.js", "last"]
    expect(cinema.page.locator("#inner")).to_be_visible()
    assert [one.path for one in cinema.vendors.requests if one.path == "/still.png"] == ["/still.png"]


def test_gated_markup_stays_inert_after_a_refusal(cinema: Shop) -> None:
    cinema.serve(ORDERED + FRAME)
    cinema.open()
    cinema.refuse_all()
    cinema.reload()
    cinema.settle()
    assert cinema.page.evaluate("window.order") is None
    assert cinema.vendors.requests == []


def test_another_purpose_s_grant_does_not_open_it(cinema: Shop) -> None:
    cinema.serve(ORDERED)
    cinema.open()
    cinema.choose(analytics=True)
    assert cinema.page.evaluate("window.order") is None
    assert "films.example" not in cinema.vendors.hosts


def test_an_element_added_late_is_found(cinema: Shop) -> None:
    cinema.open()
    cinema.choose(media=True)
    cinema.page.evaluate(ADD, ORDERED)
    cinema.page.wait_for_function("window.order?.length == 5")
    assert cinema.page.evaluate("order") == ["one.js", "inline", "template", "two.js", "last"]


def test_an_element_added_late_is_held_after_a_refusal(cinema: Shop) -> None:
    cinema.open()
    cinema.refuse_all()
    cinema.page.evaluate(ADD, ORDERED + FRAME)
    expect(placeholder(cinema)).to_be_visible()
    cinema.settle()
    assert cinema.page.evaluate("window.order") is None
    assert cinema.vendors.requests == []


def test_a_placeholder_names_the_vendor_and_takes_the_frame_s_room(cinema: Shop) -> None:
    cinema.serve(FRAME)
    cinema.open()
    cinema.refuse_all()
    expect(placeholder(cinema)).to_contain_text("Filmhaus")
    box = placeholder(cinema).bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == pytest.approx((404, 229), abs=4)


def test_this_time_opens_one_frame_and_keeps_nothing(cinema: Shop) -> None:
    cinema.serve(FRAME)
    cinema.open()
    cinema.refuse_all()
    before = len(cinema.server.receipts("cinema"))
    placeholder(cinema).get_by_role("button", name="Show this time").click()
    expect(cinema.page.locator("iframe")).to_have_attribute("src", OPENED)
    expect(placeholder(cinema)).to_have_count(0)
    expect(cinema.page.frame_locator("iframe").get_by_text("A film")).to_be_visible()
    assert len(cinema.server.receipts("cinema")) == before
    cinema.reload()
    expect(placeholder(cinema)).to_be_visible()


def test_always_is_a_decision_for_this_vendor(cinema: Shop) -> None:
    cinema.serve(FRAME)
    cinema.open()
    cinema.refuse_all()
    with cinema.page.expect_response("**/decisions") as coming:
        placeholder(cinema).get_by_role("button", name="Always").click()
    assert coming.value.status == 201
    expect(cinema.page.locator("iframe")).to_have_attribute("src", OPENED)
    receipt = cinema.server.receipts("cinema")[-1]
    assert (receipt["action"], receipt["method"], receipt["change"]) == ("save", "placeholder", True)
    assert receipt["vendors"] == {"google-analytics": False, "filmhaus": True}
    assert receipt["grants"] == {"analytics": False, "media": False}
    cinema.reload()
    expect(cinema.page.locator("iframe")).to_have_attribute("src", OPENED)


def test_a_withdrawal_shuts_the_frame_and_deletes_the_site_s_vendor_s_cookie(cinema: Shop) -> None:
    cinema.serve(FRAME)
    cinema.open()
    cinema.accept_all()
    cinema.page.evaluate("document.cookie = 'film_seen=1;Domain=example.co.uk;Path=/'")
    cinema.withdraw()
    expect(placeholder(cinema)).to_be_visible()
    assert cinema.cookies() == {"eu-consent"}
