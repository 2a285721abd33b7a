"""Two banners that share a site's visitors: who sees which, what is kept, and what is recorded."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Request, expect

from .servers import ConsentServer
from .shop import Shop
from .site_files import ADS_TAG, ANALYTICS_TAG, PURCHASE, SIGNUP, site_file

# What is drawn stands in the address, so that a test says what chance would.
DRAW = "Math.random = () => +location.search.slice(1)"
BOX, OWN = "/?0.2", "/?0.7"
BLOCKED = "conversion_blocked google-ads"
EXPERIMENT = """
[experiment]
key = "shape"
[[experiment.arms]]
name = "box"
weight = 50
banner.layout = "box"
[experiment.arms.texts.en]
title = "Your choice"
[experiment.arms.texts.fr]
title = "Votre choix"
"""


@pytest.fixture(scope="module")
def arms(server: ConsentServer) -> dict[str, str]:
    """Arm to notice of the site "tried", once it is served with them."""
    server.apply(site_file("tried", ANALYTICS_TAG, ADS_TAG) + EXPERIMENT)
    data = json.loads(server.get("/widget/tried.js?lang=en")[1].decode().split("\n")[1])
    return {"control": data["notice"], "box": data["arms"][0]["notice"]}


def sent_to(shop: Shop, path: str) -> list[dict[str, Any]]:
    """Bodies that the page posts there from now on."""
    bodies: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.url.endswith(path):
            bodies.append(request.post_data_json or {})

    shop.page.on("request", note)
    return bodies


def test_each_arm_shows_its_own_notice_and_the_receipt_names_it(
    visit: Callable[..., Shop], arms: dict[str, str], server: ConsentServer
) -> None:
    for address, arm, title, layout in (
        (BOX, "box", "Your choice", "box"),
        (OWN, "control", "Your cookie choices", "bar"),
    ):
        shop = visit("tried", init=DRAW)
        shop.serve()
        shown = sent_to(shop, "/shown")
        shop.open(address)
        expect(shop.banner.locator("h2")).to_have_text(title)
        expect(shop.banner).to_have_attribute("data-view", layout)
        shop.settle()
        assert shown == [{"notice": arms[arm], "language": "en", "asked": "first", "arrival": True}]
        # Nothing of the draw or anything else is kept before the choice.
        assert (shop.context.cookies(), shop.storage()) == ([], [])
        claims = shop.accept_all()
        assert claims["notice"] == arms[arm] == server.receipts("tried")[-1]["notice"]
        assert shop.vendors.requests
        assert {name[:2] for name in shop.choice()} <= {"v", "t", "n", "p.", "v.", "i", "s"}
        assert arms[arm] not in json.dumps(shop.context.cookies())


@pytest.mark.usefixtures("arms")
def test_each_view_is_drawn_anew_until_a_choice_stands(visit: Callable[..., Shop]) -> None:
    shop = visit("tried", init=DRAW)
    for address, title in ((BOX, "Your choice"), (OWN, "Your cookie choices"), (BOX, "Your choice")):
        shop.open(address)
        expect(shop.banner.locator("h2")).to_have_text(title)
    assert (shop.context.cookies(), shop.storage()) == ([], [])
    shop.refuse_all()
    # The other arm asks for the same: nobody who has chosen is asked again.
    shown = sent_to(shop, "/shown")
    shop.open(OWN)
    shop.settle()
    expect(shop.banner).to_have_count(0)
    assert shown == []


def test_a_script_in_the_page_s_language_shows_the_same_arm(visit: Callable[..., Shop], arms: dict[str, str]) -> None:
    # The first draw falls on the box, a second would not.
    shop = visit("tried", init="let draws = 0; Math.random = () => [0.2, 0.7][draws++]")
    shop.serve(lang="fr")
    shown = sent_to(shop, "/shown")
    shop.open()
    expect(shop.banner.locator("h2")).to_have_text("Votre choix")
    shop.settle()
    assert shown == [{"notice": arms["box"], "language": "fr", "asked": "first", "arrival": True}]


def test_conversions_are_counted_as_sent_and_as_blocked(shop: Shop) -> None:
    shop.serve('<button data-conversion="signup">Sign up</button>')
    shop.open()
    counts = sent_to(shop, "/conversions")
    shop.page.evaluate("consentWidget.conversion('purchase')")
    shop.settle()
    assert counts == []
    with shop.page.expect_response("**/conversions") as answer:
        shop.refuse_all()
    assert answer.value.status == 204
    shop.page.get_by_text("Sign up").click()
    shop.settle()
    shop.choose(google_ads=True)
    shop.page.evaluate(f"gtag('event', 'conversion', {{send_to: '{PURCHASE}'}})")
    shop.settle()
    assert [{key: one[key] for key in one.keys() & {"sent", "blocked"}} for one in counts] == [
        {"blocked": {"google-ads": 1}}, {"blocked": {"google-ads": 1}}, {"sent": {"google-ads": 1}},
    ]  # fmt: skip


def test_a_conversion_of_who_leaves_without_a_choice_is_counted_as_blocked(visit: Callable[..., Shop]) -> None:
    shop = visit("leaving")
    shop.server.apply(site_file("leaving", ADS_TAG))
    shop.serve('<a href="/next">Next</a>')
    shop.serve("<main>Next</main>", head="", path="/next")
    shop.open()
    shop.page.evaluate(f"gtag('event', 'conversion', {{send_to: '{SIGNUP}'}})")
    shop.server.wait_for(lambda: shop.server.counted("leaving") == {"shown": 1, "visits": 1})
    shop.page.get_by_text("Next").click()
    shop.page.wait_for_url("**/next")
    # Sent while the page went away, so that no page sees the answer.
    shop.server.wait_for(lambda: shop.server.counted("leaving").keys() == {"shown", "visits", BLOCKED})
    assert shop.server.counted("leaving") == {"shown": 1, "visits": 1, BLOCKED: 1}
    assert (shop.context.cookies(), shop.storage()) == ([], [])
