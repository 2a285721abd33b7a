"""Each way to come to a banner: a view and its answer are counted in the same pair, and the rates are of such pairs."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Request, expect

from .servers import ConsentServer
from .shop import Shop
from .site_files import ADS_TAG, ANALYTICS_TAG, FILMS, FRAME, ORIGIN, SISTER, site_file

Visit = Callable[..., Shop]
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@dataclass
class Posted:
    """What the browsers of a test posted to the counters and as decisions, in order."""

    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def hear(self, shop: Shop) -> Shop:
        """Listen to all tabs of a visitor."""
        shop.context.on("request", self._take)
        return shop

    def _take(self, request: Request) -> None:
        if request.method == "POST":
            self.sent.append((request.url.rpartition("/")[2], json.loads(request.post_data or "{}")))

    def __call__(self, path: str, **said: Any) -> int:
        """How many posts there said this; one that was sent again is one."""
        posts = (body for where, body in self.sent if where == path and said.items() <= body.items())
        # What is let in at a stand-in answers no banner.
        posts = (body for body in posts if body.get("method") != "placeholder")
        return len({body.get("decision_id", number): body for number, body in enumerate(posts)})


@pytest.fixture
def posted() -> Posted:
    return Posted()


def pairs(server: ConsentServer, site: str, posted: Posted) -> tuple[int, int, int, int]:
    """Views and answers of who is asked first, then of who is asked again; recomputed from what was posted."""
    expected = Counter(
        shown=posted("shown", asked="first"),
        decisions=posted("decisions", asked="first"),
        shown_again=posted("shown", asked="again"),
        answered_again=posted("decisions", asked="again"),
    )
    server.wait_for(lambda: all(server.counted(site).get(name, 0) == count for name, count in expected.items()))
    views, answers, views_again, answers_again = expected.values()
    told = server.rates(site)
    assert expected.items() <= told["totals"].items()
    assert told["rates"]["interaction"]["value"] == answers / views
    assert told["again"]["rates"]["interaction"]["value"] == (answers_again / views_again if views_again else None)
    return views, answers, views_again, answers_again


def switch_off(shop: Shop) -> None:
    """Take back everything by the switches; the page loads anew."""
    shop.open_preferences()
    shop.switch("analytics", on=False)
    shop.leave(lambda: shop.button("save").click())


def test_a_new_visitor_is_one_view_and_one_answer(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(site_file("new", ANALYTICS_TAG))
    posted.hear(visit("new")).open().accept_all()
    assert pairs(server, "new", posted) == (1, 1, 0, 0)


def test_who_returns_undecided_is_asked_for_the_first_time(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(site_file("undecided", ANALYTICS_TAG))
    shop = posted.hear(visit("undecided")).open()
    shop.settle()
    shop.reload()
    shop.refuse_all()
    assert pairs(server, "undecided", posted) == (2, 1, 0, 0)
    # What is changed later answers no banner, and after this nothing stands.
    shop.choose(analytics=True)
    switch_off(shop)
    assert pairs(server, "undecided", posted) == (2, 1, 0, 0)
    assert {name: server.counted("undecided")[name] for name in ("changes", "withdrawals")} == {
        "changes": 1, "withdrawals": 1,
    }  # fmt: skip


def test_who_is_asked_again_is_counted_apart(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(site_file("again", ANALYTICS_TAG))
    accepting, refusing = (posted.hear(visit("again")).open() for _ in range(2))
    for shop in (accepting, refusing):
        shop.accept_all()
    server.apply(site_file("again", ANALYTICS_TAG, ADS_TAG))
    server.wait_for_notice("again", "google-ads")
    for shop in (accepting, refusing):
        shop.reload()
        shop.settle()
    assert accepting.accept_all()["change"] is True
    refusing.refuse_all()
    assert pairs(server, "again", posted) == (2, 2, 2, 2)
    counted = server.counted("again")
    assert (counted["accept_all_again"], counted["refuse_all_again"]) == (1, 1)
    assert not {"changes", "withdrawals"} & counted.keys()


def test_a_stand_in_that_is_opened_meanwhile_leaves_the_pair_as_it_is(
    visit: Visit, server: ConsentServer, posted: Posted
) -> None:
    server.apply(site_file("standing", FILMS))
    shop = posted.hear(visit("standing")).open()
    shop.accept_all()
    server.apply(site_file("standing", FILMS, ANALYTICS_TAG))
    server.wait_for_notice("standing", "google-analytics")
    shop.serve(f"<main>{FRAME}</main>")
    shop.reload()
    with shop.page.expect_response("**/decisions"):
        shop.page.locator("consent-placeholder [data-action=always]").click()
    expect(shop.banner).to_be_visible()
    shop.leave(lambda: shop.button("refuse").click())
    assert pairs(server, "standing", posted) == (1, 1, 1, 1)


def test_two_tabs_are_one_answer(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(site_file("tabs", ANALYTICS_TAG))
    shop = posted.hear(visit("tabs")).open()
    shop.settle()
    other = Shop(shop.context.new_page(), shop.pages, shop.server, shop.vendors, shop.site).open()
    other.accept_all()
    expect(shop.banner).to_have_count(0)
    switch_off(shop)
    assert pairs(server, "tabs", posted) == (2, 1, 0, 0)
    assert server.counted("tabs")["withdrawals"] == 1


def test_a_page_that_comes_back_has_been_seen(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(site_file("back", ANALYTICS_TAG))
    shop = posted.hear(visit("back"))
    shop.serve("<main>Next</main>", head="", path="/next")
    shop.open()
    shop.settle()
    shop.page.goto(f"{ORIGIN}/next")
    shop.page.go_back()
    shop.ready()
    shop.accept_all()
    # Kept in the back/forward cache it is the same view, loaded anew it is another one.
    first, answers, *again = pairs(server, "back", posted)
    assert first in (1, 2)
    assert (answers, *again) == (1, 0, 0)


AHEAD = """
  let ahead = true;
  Object.defineProperty(Document.prototype, "prerendering", {get: () => ahead, configurable: true});
  window.activate = () => { ahead = false; document.dispatchEvent(new Event("prerenderingchange")); };
"""


def test_a_prerendered_page_counts_when_it_is_looked_at(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(site_file("ahead", ANALYTICS_TAG))
    shop = posted.hear(visit("ahead", init=AHEAD))
    shop.page.goto(ORIGIN)
    shop.page.wait_for_function("window.consentWidget")
    shop.settle()
    assert posted.sent == []
    shop.page.evaluate("activate()")
    shop.accept_all()
    assert pairs(server, "ahead", posted) == (1, 1, 0, 0)


def test_a_robot_is_in_no_pair(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(site_file("robot", ANALYTICS_TAG))
    shop = posted.hear(visit("robot", user_agent=BOT)).open()
    shop.accept_all()
    server.wait_for(lambda: server.counted("robot") == {"robots": 2})
    assert server.rates("robot")["totals"]["robots"] == 2
    assert server.rates("robot")["totals"]["shown"] == 0


def test_a_visit_is_its_first_page_and_its_answer(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(site_file("visits", ANALYTICS_TAG))
    shop = posted.hear(visit("visits"))
    for path, other in (("/", "/second"), ("/second", "/third"), ("/third", "/")):
        shop.serve(f'<a href="{other}">Next</a>', path=path)
    shop.open()
    shop.settle()
    # Within the visit: by a link, loaded anew, and back.
    ways: tuple[Callable[[], object], ...] = (
        lambda: shop.page.get_by_text("Next").click(), shop.page.reload, shop.page.go_back,
    )  # fmt: skip
    for follow in ways:
        follow()
        shop.ready()
        shop.settle()
    assert [body["arrival"] for path, body in posted.sent if path == "shown"][:3] == [True, False, False]
    assert posted("shown", arrival=True) == 1
    shop.accept_all()
    pairs(server, "visits", posted)
    totals = server.rates("visits")["totals"]
    assert (totals["visits"], totals["visit_decisions"], totals["visit_accept_all"]) == (1, 1, 1)
    # From another site, which is a page before it, a visit begins as well.
    guest = posted.hear(visit("visits"))
    guest.serve(f'<a href="{ORIGIN}/">Shop</a>', head="", path="/elsewhere")
    guest.page.goto(f"{SISTER}/elsewhere")
    guest.page.get_by_text("Shop").click()
    guest.ready()
    guest.settle()
    assert posted("shown", arrival=True) == 2


SAMPLED = "[statistics]\nsample = 1\n"


def sampled(site: str, *vendors: str, mode: str = "basic") -> str:
    """A site of which each page load is in the sample."""
    return site_file(site, *vendors, mode=mode).replace("[statistics]\nsample = 0\n", SAMPLED)


LISTENS = "() => performance.getEntriesByType('resource').some(({ name }) => name.includes('/details.js'))"
HIDE = """() => {
  Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""
# By the vendor that is asked for: a page load where it is granted, refused, not answered.
GRANTED = {"pages": 1, "page_vendor google-analytics": 1}
REFUSED = {"pages": 1}
UNANSWERED = {"pages": 1, "pages_unanswered": 1}


def test_a_sampled_page_says_when_it_is_left_which_vendors_could_run(visit: Visit, server: ConsentServer) -> None:
    server.apply(sampled("sampled", ANALYTICS_TAG, FILMS))
    shop = visit("sampled")
    shop.serve("<main>Next</main>", head="", path="/next")
    expected: Counter[str] = Counter()

    def adds(counts: dict[str, int]) -> None:
        # Sent while the page goes away, so that no page sees it.
        expected.update(counts)
        server.wait_for(lambda: server.counted("sampled", "pages") == expected)

    def leave() -> None:
        shop.page.wait_for_function(LISTENS)
        shop.settle()
        shop.page.goto(f"{ORIGIN}/next")

    shop.open()
    leave()
    adds(UNANSWERED)
    assert (shop.context.cookies(), shop.storage()) == ([], [])
    # On the page of the answer, whose page view the vendor is told of; and of who comes back.
    shop.open()
    shop.choose(google_analytics=True)
    leave()
    adds(GRANTED)
    shop.open()
    leave()
    adds(GRANTED)
    # Where it is taken back the vendor has seen this page, and not the next.
    shop.open()
    shop.page.wait_for_function(LISTENS)
    shop.settle()
    shop.withdraw()
    adds(GRANTED)
    leave()
    adds(REFUSED)


def test_what_is_sent_of_a_sampled_page(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(sampled("told", ANALYTICS_TAG))
    shop = posted.hear(visit("told")).open()
    shop.accept_all()
    assert not posted("page-loads")
    with shop.page.expect_response("**/page-loads") as answer:
        shop.page.evaluate(HIDE)
    assert answer.value.status == 204
    # Once, however often it is hidden; no identifier, no address, no time.
    shop.page.evaluate(HIDE)
    shop.settle()
    [body] = [body for path, body in posted.sent if path == "page-loads"]
    assert body == {"notice": body["notice"], "language": "en", "answered": True, "granted": ["google-analytics"]}


def test_no_page_is_sampled_where_the_site_wants_none(visit: Visit, server: ConsentServer, posted: Posted) -> None:
    server.apply(site_file("unsampled", ANALYTICS_TAG))
    shop = posted.hear(visit("unsampled", init="Math.random = () => 0")).open()
    shop.accept_all()
    shop.page.evaluate(HIDE)
    shop.settle()
    assert not posted("page-loads")


def test_a_prerendered_page_is_sampled_when_it_is_looked_at(visit: Visit, server: ConsentServer) -> None:
    server.apply(sampled("sampled-ahead", ANALYTICS_TAG))
    shop = visit("sampled-ahead", init=AHEAD)
    shop.serve("<main>Next</main>", head="", path="/next")
    shop.page.goto(ORIGIN)
    shop.page.wait_for_function("window.consentWidget")
    shop.settle()
    assert not shop.page.evaluate(LISTENS)
    shop.page.goto(f"{ORIGIN}/next")
    shop.page.goto(ORIGIN)
    shop.page.wait_for_function("window.consentWidget")
    shop.page.evaluate("activate()")
    shop.page.wait_for_function(LISTENS)
    shop.settle()
    shop.page.goto(f"{ORIGIN}/next")
    server.wait_for(lambda: server.counted("sampled-ahead", "pages") == UNANSWERED)
