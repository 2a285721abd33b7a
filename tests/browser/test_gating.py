"""Markup that the site gates itself: scripts, templates, images, frames, in document order."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from .axe import DESKTOP
from .servers import Answer
from .shop import Shop
from .site_files import FRAME, OPENED, ORIGIN

ORDERED = """
<script type="text/plain" data-consent="media" data-src="https://films.example/one.js"></script>
<script type="text/plain" data-consent="media">(window.order ??= []).push("inline")</script>
<template data-consent="filmhaus"><p id="inner">In the template</p>
  <script>(window.order ??= []).push("template")</script></template>
<script type="text/plain" data-consent="media" src="https://films.example/two.js"></script>
<script type="text/plain" data-consent="media">(window.order ??= []).push("last")</script>
<img data-consent="media" data-src="https://films.example/still.png" alt="A still">
"""
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


def test_a_placeholder_speaks_the_page_s_language_whatever_the_browser_asks_for(visit: Callable[..., Shop]) -> None:
    shop = visit("cinema", locale="fr-FR")
    shop.serve(FRAME, lang="en")
    shop.open()
    expect(placeholder(shop).get_by_text("Show once")).to_be_visible()
    expect(shop.button("accept")).to_have_text("Accept all")
    shop.open_preferences()
    expect(shop.button("save")).to_have_text("Save choices")


def test_this_time_opens_one_frame_and_keeps_nothing(cinema: Shop) -> None:
    cinema.serve(FRAME)
    cinema.open()
    cinema.refuse_all()
    before = len(cinema.server.receipts("cinema"))
    placeholder(cinema).get_by_role("button", name="Show once").click()
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


BOX = """<div data-consent="filmhaus" style="height: 180px"><template data-consent="filmhaus">
<p id="inner">Drawn by a script</p><script src="https://films.example/one.js"></script>
</template></div>"""
# Each way in which pages lay embeds out, between neighbours that would move.
LAYOUTS = {
    "in a line": f"<p>Before {FRAME} after</p>",
    "block, centred": FRAME.replace("<iframe", '<iframe style="display:block;margin:20px auto;border:0"'),
    "as wide as the page": FRAME.replace('width="400"', 'style="display:block;width:100%;border:0"'),
    "16:9 by its parent": (
        '<div style="position:relative;padding-bottom:56.25%">'
        + FRAME.replace("<iframe", '<iframe style="position:absolute;inset:0;width:100%;height:100%;border:0"')
        + "</div>"
    ),
    "16:9 by itself": FRAME.replace(
        "<iframe", '<iframe style="display:block;width:100%;height:auto;aspect-ratio:16/9;border:0"'
    ),
    "in a row": (
        '<div style="display:flex;gap:9px"><b>One</b>'
        + FRAME.replace("<iframe", '<iframe style="flex:1"')
        + "<b>Two</b></div>"
    ),
    "floating": FRAME.replace("<iframe", '<iframe style="float:right"') + "<p>Text beside it</p>",
    "smaller than its words": FRAME.replace('width="400" height="225"', 'width="60" height="40"'),
    "for nobody to see": FRAME.replace('width="400" height="225"', 'width="0" height="0" style="border:0"'),
    "a box": BOX,
}
NARROW = ViewportSize(width=500, height=700)
PLACES = """() => [...document.querySelectorAll("main :is(h1, b, p, footer)")].map((one) => {
  const { x, y, width } = one.getBoundingClientRect();
  return [one.textContent, x, y + scrollY, width];
}).filter(([text]) => !text.startsWith("Drawn"))"""


def test_the_page_does_not_move(cinema: Shop) -> None:
    laid_out = "".join(
        f'<section style="display:flow-root"><h1>{layout}</h1>{embed}<footer>After {layout}</footer></section>'
        for layout, embed in LAYOUTS.items()
    )
    cinema.serve(f"<main>{laid_out.replace('data-consent', 'data-none')}</main>", path="/bare")
    cinema.serve(f"<main>{laid_out}</main>")
    cinema.open("/bare")
    cinema.refuse_all()
    placed = cinema.page.evaluate(PLACES)
    cinema.page.set_viewport_size(NARROW)
    narrow = cinema.page.evaluate(PLACES)
    assert narrow != placed
    cinema.page.set_viewport_size(DESKTOP)
    cinema.open()
    expect(placeholder(cinema)).to_have_count(len(LAYOUTS))
    assert cinema.page.evaluate(PLACES) == placed
    cinema.page.set_viewport_size(NARROW)
    cinema.page.wait_for_function(f"placed => JSON.stringify(({PLACES})()) == JSON.stringify(placed)", arg=narrow)
    cinema.page.set_viewport_size(DESKTOP)
    cinema.page.evaluate("consentWidget.save({grants: {media: true}})")
    expect(placeholder(cinema)).to_have_count(0)
    assert cinema.page.evaluate(PLACES) == placed


def test_this_time_opens_what_a_script_draws(cinema: Shop) -> None:
    cinema.serve(BOX + BOX.replace("inner", "other"))
    cinema.open()
    cinema.refuse_all()
    expect(placeholder(cinema)).to_have_count(2)
    assert cinema.vendors.requests == []
    placeholder(cinema).first.get_by_role("button", name="Show once").click()
    expect(cinema.page.locator("#inner")).to_be_visible()
    cinema.page.wait_for_function("window.order?.length == 1")
    expect(placeholder(cinema)).to_have_count(1)
    assert cinema.page.locator("#other").count() == 0
    assert [one.path for one in cinema.vendors.requests] == ["/one.js"]


def test_always_opens_all_that_a_vendor_s_scripts_draw(cinema: Shop) -> None:
    cinema.serve(BOX + BOX.replace("inner", "other"))
    cinema.open()
    cinema.refuse_all()
    placeholder(cinema).first.get_by_role("button", name="Always").click()
    for inner in ("#inner", "#other"):
        expect(cinema.page.locator(inner)).to_be_visible()
    cinema.page.wait_for_function("window.order?.length == 2")
    cinema.reload()
    cinema.page.wait_for_function("window.order?.length == 2")
    expect(placeholder(cinema)).to_have_count(0)


def test_a_poster_is_the_site_s_own_or_none(visit: Callable[..., Shop]) -> None:
    cinema = visit("cinema", warned=True)
    said: list[str] = []
    cinema.page.on("console", lambda message: said.append(message.text))
    own = FRAME.replace("<iframe", '<iframe data-poster="/poster.svg"')
    theirs = FRAME.replace("<iframe", '<iframe data-poster="https://i.ytimg.com/vi/x/0.jpg"')
    cinema.serve(own + theirs)
    cinema.pages.answers["/poster.svg"] = Answer('<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml")
    cinema.open()
    expect(placeholder(cinema)).to_have_count(2)
    expect(placeholder(cinema).locator("img")).to_have_count(1)
    expect(placeholder(cinema).locator("img")).to_have_attribute("src", f"{ORIGIN}/poster.svg")
    cinema.settle()
    assert cinema.vendors.requests == []
    assert "consent: data-poster is not on this site: https://i.ytimg.com/vi/x/0.jpg" in said
