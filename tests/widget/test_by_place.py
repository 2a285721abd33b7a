"""Each place is served the notice of its rule, and no cache serves it to another place."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.core.context import Context
from tests.support.factories import SHOP, Body, Clock, site_file
from tests.support.regions import WORLD, shown_in
from tests.support.sites import Apply

HEADER = "CF-IPCountry"
PLACES = {"DE": "europe", "GB": "britain", "US-CA": "america", "US-UT": "utah", "JP": "elsewhere"}


@pytest.fixture
def placed(app: Flask, services: Context, apply_site: Apply, clock: Clock) -> Iterator[FlaskClient]:
    """A server whose operator names a header, with a site that has regions."""
    apply_site(WORLD)
    named = create_app(replace(services.settings, country_header=HEADER), now=clock)
    yield named.test_client(use_cookies=False)
    named.extensions["consent"].database.engine.dispose()


def at(
    client: FlaskClient, place: str | None, path: str = "/widget/shop.js", **headers: str
) -> tuple[str, dict[str, str]]:
    answer = client.get(path, headers=headers | ({HEADER: place} if place else {}))
    return answer.get_data(as_text=True), dict(answer.headers)


def test_each_place_gets_the_notice_of_its_rule_asked_twice_and_in_any_order(placed: FlaskClient) -> None:
    for place, key in [*PLACES.items(), *reversed(PLACES.items())]:
        text, headers = at(placed, place)
        assert shown_in(key).hash in text, place
        assert HEADER in headers["Vary"]
    for unknown in (None, "XX", "T1", "US, DE"):
        text, _ = at(placed, unknown)
        assert shown_in("europe").hash in text, unknown


def test_what_runs_before_a_choice_is_kept_by_no_cache_unasked(placed: FlaskClient) -> None:
    for place, kept in (("DE", "private, max-age=300"), (None, "private, max-age=300"), ("GB", "private, no-cache"),
                        ("US-CA", "private, no-cache"), ("JP", "private, no-cache")):  # fmt: skip
        for part in ("", "/preferences", "/details"):
            _, headers = at(placed, place, f"/widget/shop{part}.js")
            assert headers["Cache-Control"].startswith(kept), (place, part)


def test_an_answer_for_one_place_is_never_said_to_be_right_in_another(placed: FlaskClient) -> None:
    tag = at(placed, "US-CA")[1]["ETag"]
    known = {"If-None-Match": tag}
    assert placed.get("/widget/shop.js", headers=known | {HEADER: "US-NY"}).status_code == 304
    assert placed.get("/widget/shop.js", headers=known | {HEADER: "DE"}).status_code == 200
    assert placed.get("/widget/shop.js", headers=known).status_code == 200


def test_a_site_without_regions_is_served_as_ever_whatever_the_place(
    client: FlaskClient, placed: FlaskClient, apply_site: Apply
) -> None:
    apply_site(site_file().replace('"shop"', '"plain"'))
    usual = client.get("/widget/plain.js")
    for place in (None, "US-CA", "DE"):
        text, headers = at(placed, place, "/widget/plain.js")
        assert (text, headers["Cache-Control"]) == (usual.get_data(as_text=True), usual.headers["Cache-Control"])
        assert HEADER not in headers["Vary"]


def test_a_decision_is_about_the_notice_that_it_names_and_says_its_rule(placed: FlaskClient, body: Body) -> None:
    told = shown_in("america")
    said = {**body(), "notice": told.hash, "action": "refuse_all", "grants": {}, "vendors": {}}
    answer = placed.post("/v1/sites/shop/decisions", json=said, headers={"Origin": SHOP, HEADER: "DE"}).get_json()
    assert "stale" not in answer
    assert (answer["visitor"], answer["state"]) == (None, None)
    claims = placed.get(
        f"{answer['receipt_url'].partition('/v1')[1]}{answer['receipt_url'].partition('/v1')[2]}?format=json"
    ).get_json()
    assert (claims["rule"], claims["grants"], claims["vendors"]) == ("opt-out", {}, {})
    assert claims["objections"] == {
        "purposes": {"analytics": True, "advertising": True}, "vendors": {"matomo": True, "meta-pixel": True},
    }  # fmt: skip


def test_who_accepts_what_runs_anyway_gets_no_identifier(placed: FlaskClient, body: Body) -> None:
    said = {**body(), "notice": shown_in("britain").hash, "action": "save", "vendors": {}}
    for grants, named in (({"analytics": True}, False), ({"analytics": True, "advertising": True}, True)):
        posted = {**said, **{"decision_id": body()["decision_id"]}, "grants": grants}
        answer = placed.post("/v1/sites/shop/decisions", json=posted, headers={"Origin": SHOP}).get_json()
        assert bool(answer["visitor"]) == bool(answer["state"]) == named


def test_without_a_header_everybody_is_asked_first(client: FlaskClient, apply_site: Apply) -> None:
    apply_site(WORLD)
    answer = client.get("/widget/shop.js", headers={HEADER: "US-CA"})
    assert shown_in("europe").hash in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"].startswith("public")
