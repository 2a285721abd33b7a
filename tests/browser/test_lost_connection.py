"""A lost connection loses nothing: tags follow the choice, and the record arrives later, once."""

import json
from collections.abc import Callable

from playwright.sync_api import expect

from .servers import ConsentServer
from .shop import Shop
from .site_files import ANALYTICS, ORIGIN, PIXEL


def test_a_choice_made_while_the_server_is_away_is_recorded_once_when_it_is_back(
    visit: Callable[..., Shop], own_server: ConsentServer
) -> None:
    shop = visit(server=own_server, warned=True)
    shop.open()
    own_server.stop()
    with shop.page.expect_event("requestfailed", lambda request: request.url.endswith("/decisions")):
        shop.button("accept").click()
    shop.settle()
    assert shop.vendors.views == [PIXEL, ANALYTICS]
    assert shop.storage().count("eu-consent-outbox") == 1

    own_server.start()
    with shop.page.expect_response("**/decisions") as coming:
        shop.reload()
    assert coming.value.status == 201
    shop.page.wait_for_function("() => !localStorage.getItem('eu-consent-outbox')")
    assert shop.choice()["i"] == coming.value.json()["visitor"]
    shop.reload()
    shop.settle()
    assert [one["action"] for one in own_server.receipts("shop")] == ["accept_all"]


def test_what_was_recorded_but_not_heard_is_not_recorded_twice(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True).open()
    before = len(shop.server.receipts("shop"))
    heard: list[int] = []

    def lose_the_answer(route: object) -> None:
        heard.append(route.fetch().status)  # type: ignore[attr-defined]
        route.abort()  # type: ignore[attr-defined]

    shop.page.route("**/decisions", lose_the_answer)
    with shop.page.expect_event("requestfailed", lambda request: request.url.endswith("/decisions")):
        shop.button("accept").click()
    assert heard == [201]
    shop.page.unroute("**/decisions")
    with shop.page.expect_response("**/decisions") as coming:
        shop.reload()
    assert coming.value.status == 200
    assert len(shop.server.receipts("shop")) == before + 1


def test_what_the_server_refuses_is_not_sent_for_ever(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True).open()
    shop.page.evaluate("text => localStorage.setItem('eu-consent-outbox', text)", json.dumps([{"decision_id": "x"}]))
    with shop.page.expect_response("**/decisions") as coming:
        shop.reload()
    assert coming.value.status in (400, 422)
    shop.page.wait_for_function("() => !localStorage.getItem('eu-consent-outbox')")


def test_a_busy_server_is_asked_again_on_the_next_page(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True).open()
    shop.page.route("**/decisions", lambda route: route.fulfill(status=503, headers={"Retry-After": "5"}))
    with shop.page.expect_response("**/decisions"):
        shop.button("refuse").click()
    shop.settle()
    assert shop.storage() == ["eu-consent-outbox"]
    shop.page.unroute("**/decisions")
    with shop.page.expect_response("**/decisions") as coming:
        shop.reload()
    assert coming.value.status == 201
    shop.page.wait_for_function("() => !localStorage.getItem('eu-consent-outbox')")


def test_without_the_consent_server_every_tag_stays_shut_and_the_page_lives(visit: Callable[..., Shop]) -> None:
    shop = visit()
    shop.context.route(f"{shop.server.url}/**", lambda route: route.abort())
    shop.serve('<script type="text/plain" data-consent="analytics">window.ran = true</script><p>Alive</p>')
    shop.page.goto(ORIGIN)
    expect(shop.page.get_by_text("Alive")).to_be_visible()
    shop.settle()
    assert shop.vendors.requests == []
    assert shop.page.evaluate("window.ran") is None
