"""Pages that were there first: what they patch, block, frame, keep in memory or load ahead of being looked at."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from .servers import Answer
from .shop import Shop
from .site_files import ANALYTICS, ORIGIN, PIXEL, SISTER

Visit = Callable[..., Shop]

# What libraries of other decades do to a page before anything else runs.
PATCHES = {
    "Promise without race, allSettled and finally": """
      const Real = Promise;
      window.Promise = function (work) {
        const real = new Real(work);
        this.then = real.then.bind(real);
        this.catch = real.catch.bind(real);
      };
      Promise.resolve = (value) => new Promise((done) => done(value));
    """,
    "fetch that is gone": "delete window.fetch; window.fetch = undefined;",
    "fetch that throws": "window.fetch = () => { throw new Error('patched'); };",
    "methods on every object": """
      Object.prototype.each = function () {};
      Array.prototype.last = function () { return this[this.length - 1]; };
      String.prototype.blank = function () { return !this.trim(); };
    """,
    "no randomUUID": "delete Crypto.prototype.randomUUID;",
    "no popover": "delete HTMLElement.prototype.togglePopover; delete HTMLElement.prototype.showPopover;",
    "another $, _ and process": "window.$ = window._ = window.process = window.module = window.exports = {};",
    "an AMD loader": "window.define = Object.assign(() => { throw new Error('anonymous define'); }, {amd: {}});",
}


@pytest.mark.parametrize("patch", PATCHES)
def test_a_patched_page_has_its_choice_kept_and_taken_back(visit: Visit, patch: str) -> None:
    shop = visit(warned=patch.startswith("fetch"))
    shop.serve(head=f"<script>{PATCHES[patch]}</script>{shop.tag()}")
    shop.open()
    expect(shop.banner).to_be_visible()
    assert shop.vendors.requests == []
    shop.button("accept").click()
    expect(shop.banner).to_have_count(0)
    expect(shop.page.locator("script[src*='googletagmanager']")).to_have_count(1)
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "1"}
    shop.open_preferences()
    with shop.page.expect_event("load"):
        shop.button("withdraw").click()
    shop.ready()
    assert shop.grants() == {"p.analytics": "0", "p.advertising": "0"}
    expect(shop.page.locator("script[src*='googletagmanager']")).to_have_count(0)


def test_a_frame_of_the_site_s_own_asks_nothing_and_follows_the_page(shop: Shop) -> None:
    shop.serve(head=shop.tag(), path="/inner")
    shop.serve(body='<main>A page</main><iframe src="/inner" title="Inner"></iframe>')
    shop.open()
    inner = shop.page.frames[1]
    inner.wait_for_function("window.consentWidget")
    expect(shop.banner).to_be_visible()
    assert inner.locator("consent-widget").count() == 0
    shop.accept_all()
    inner.wait_for_function("consentWidget.allows('analytics')")
    assert inner.evaluate("consentWidget.decision.action") == "accept_all"
    assert inner.locator("consent-widget").count() == 0
    assert len([view for view in shop.vendors.views if view == ANALYTICS]) == 2


def test_in_a_frame_that_is_not_there_to_see_nothing_is_counted_until_it_is(shop: Shop) -> None:
    shop.serve(head=shop.tag(), path="/inner")
    frame = f'<iframe src="{ORIGIN}/inner" title="Inner" style="display:none"></iframe>'
    shop.serve(body=f"<main>A page</main>{frame}", head="")
    posted = shop.posted()
    shop.page.goto(SISTER)
    inner = shop.page.frames[1]
    inner.wait_for_function("window.consentWidget && document.querySelector('consent-widget')")
    shop.settle()
    assert posted == []
    with shop.page.expect_response("**/shown"):
        shop.page.evaluate("document.querySelector('iframe').style.display = ''")
    expect(inner.locator("consent-widget[role=dialog]")).to_be_visible()


def test_in_a_sandboxed_frame_of_another_page_it_throws_nothing_and_keeps_tags_shut(visit: Visit) -> None:
    shop = visit(warned=True)
    # A frame without an origin of its own: no cookie, no storage, and the server refuses what it posts.
    shop.serve(head=shop.tag(), path="/inner")
    frame = '<iframe src="/inner" title="Inner" sandbox="allow-scripts"></iframe>'
    shop.serve(body=f"<main>A page</main>{frame}", head="", path="/")
    shop.page.goto(ORIGIN)
    inner = shop.page.frame_locator("iframe")
    inner.locator("consent-widget [data-action=refuse]").click()
    expect(inner.locator("consent-widget[role=dialog]")).to_have_count(0)
    assert shop.vendors.requests == []


def test_behind_a_blocker_of_the_script_the_page_lives_and_no_tag_loads(visit: Visit) -> None:
    shop = visit()
    shop.context.route("**/widget/**", lambda route: route.abort("blockedbyclient"))
    gated = '<script type="text/plain" data-consent="analytics">window.leaked = 1</script>'
    shop.serve(body=f'<main>A page</main>{gated}<button id="b" onclick="this.textContent = 1">0</button>')
    shop.page.goto(ORIGIN)
    shop.page.locator("#b").click()
    expect(shop.page.locator("#b")).to_have_text("1")
    assert shop.page.evaluate("window.leaked ?? null") is None
    assert shop.vendors.requests == []


def test_behind_a_blocker_that_takes_the_banner_away_the_page_can_be_used(visit: Visit) -> None:
    # Styles of the page cannot hide the banner; what an extension does can.
    shop = visit(
        warned=True,
        init="""new MutationObserver(() => document.querySelector("consent-widget")?.remove())
        .observe(document, {childList: true, subtree: true});""",
    )
    tall = '<div style="height:5000px"></div><button id="b" onclick="this.textContent = 1">0</button>'
    shop.serve(body=f"<main>A page</main>{tall}")
    posted = shop.posted()
    shop.page.goto(ORIGIN)
    shop.page.wait_for_function("window.consentWidget")
    shop.settle()
    expect(shop.page.locator("consent-widget")).to_have_count(0)
    assert posted == []  # a banner that nobody saw is not counted
    shop.page.mouse.move(400, 300)
    shop.page.mouse.wheel(0, 900)
    shop.page.wait_for_function("scrollY > 0")
    shop.page.locator("#b").click()
    expect(shop.page.locator("#b")).to_have_text("1")
    assert shop.page.evaluate("getComputedStyle(document.documentElement).overflow") == "visible"
    shop.page.wait_for_function("['', '0px'].includes(document.documentElement.style.scrollPaddingBottom)")
    assert shop.page.evaluate("document.querySelectorAll('[inert]').length") == 0
    assert shop.vendors.requests == []
    assert "eu-consent" not in shop.cookies()


def test_behind_a_blocker_of_its_posts_the_choice_holds_and_is_told_later(visit: Visit) -> None:
    shop = visit(warned=True)

    def refuse(route: Route) -> None:
        route.abort("blockedbyclient")

    shop.context.route("**/v1/sites/**", refuse)
    shop.open()
    before = len(shop.server.receipts("shop"))
    shop.button("accept").click()
    expect(shop.page.locator("script[src*='googletagmanager']")).to_have_count(1)
    shop.settle()
    assert shop.vendors.views == [PIXEL, ANALYTICS]
    assert len(shop.server.receipts("shop")) == before
    shop.context.unroute("**/v1/sites/**", refuse)
    with shop.page.expect_response("**/decisions") as coming:
        shop.reload()
    assert coming.value.status == 201
    assert len(shop.server.receipts("shop")) == before + 1


def test_a_page_that_comes_back_from_memory_follows_what_was_decided_meanwhile(shop: Shop) -> None:
    # Nothing reaches a page that is kept in memory.
    shop.page.add_init_script("addEventListener('storage', (event) => event.stopImmediatePropagation(), true)")
    shop.open()
    shop.accept_all()
    other = Shop(shop.context.new_page(), shop.pages, shop.server, shop.vendors)
    other.open()
    other.withdraw()
    asked = len(shop.vendors.requests)
    # Chromium keeps no page in memory while it is driven from outside: the event is what the page would get.
    with shop.page.expect_event("load"):
        shop.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    shop.ready()
    shop.settle()
    assert len(shop.vendors.requests) == asked
    assert shop.page.evaluate("consentWidget.allows('analytics')") is False


def test_a_page_that_comes_back_from_memory_unchanged_is_left_alone(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.page.evaluate("window.same = true; dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    shop.settle()
    assert shop.page.evaluate("window.same") is True


PRERENDERING = """
  let ahead = location.pathname === "/ahead";
  Object.defineProperty(Document.prototype, "prerendering", {get: () => ahead, configurable: true});
  window.activate = () => { ahead = false; document.dispatchEvent(new Event("prerenderingchange")); };
"""


def test_a_page_that_is_rendered_ahead_counts_nothing_until_it_is_looked_at(visit: Visit) -> None:
    shop = visit(init=PRERENDERING)
    shop.serve(path="/ahead")
    posted = shop.posted()
    shop.page.goto(ORIGIN + "/ahead")
    shop.page.wait_for_function("window.consentWidget")
    shop.settle()
    expect(shop.page.locator("consent-widget")).to_have_count(0)
    assert posted == []
    with shop.page.expect_response("**/shown"):
        shop.page.evaluate("activate()")
    expect(shop.banner).to_be_visible()
    assert [url.rpartition("/")[2] for url in posted] == ["shown"]


def test_a_page_that_is_rendered_ahead_loads_no_tag_until_it_is_looked_at(visit: Visit) -> None:
    shop = visit(init=PRERENDERING)
    shop.serve(path="/ahead")
    shop.open()
    shop.accept_all()
    asked = len(shop.vendors.requests)
    shop.page.goto(ORIGIN + "/ahead")
    shop.page.wait_for_function("window.consentWidget")
    shop.settle()
    assert len(shop.vendors.requests) == asked
    shop.page.evaluate("activate()")
    expect(shop.page.locator("script[src*='googletagmanager']")).to_have_count(1)
    shop.settle()
    assert sorted(shop.vendors.views) == sorted([PIXEL, ANALYTICS] * 2)


def test_a_page_of_old_html_without_a_doctype_gets_its_banner(shop: Shop) -> None:
    shop.pages.answers["/"] = Answer(f"<head>{shop.tag()}</head><body bgcolor=white><table><tr><td>A page</table>")
    shop.open()
    expect(shop.banner).to_be_visible()
    box = shop.banner.bounding_box()
    size = shop.page.viewport_size
    assert box
    assert size
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= size["height"] + 1
    shop.refuse_all()
