"""Each place is served the notice of its rule, and no cache serves it to another place."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

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


def decide(client: FlaskClient, body: Body, region: str, **said: object) -> dict[str, Any]:
    """What the server answers a decision about the notice of a region."""
    posted = {**body(), "vendors": {}, "notice": shown_in(region).hash, **said}
    answer = client.post("/v1/sites/shop/decisions", json=posted, headers={"Origin": SHOP, HEADER: "DE"})
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def receipt(client: FlaskClient, answer: dict[str, Any], form: str) -> TestResponse:
    return client.get(f"{urlsplit(answer['receipt_url']).path}?format={form}")


def test_a_decision_is_about_the_notice_that_it_names_and_says_its_rule(placed: FlaskClient, body: Body) -> None:
    answer = decide(placed, body, "america", action="refuse_all", grants={})
    assert "stale" not in answer
    assert (answer["visitor"], answer["state"]) == (None, None)
    claims = receipt(placed, answer, "json").get_json()
    assert (claims["rule"], claims["grants"], claims["vendors"]) == ("opt-out", {}, {})
    assert claims["objections"] == {
        "purposes": {"analytics": True, "advertising": True}, "vendors": {"matomo": True, "meta-pixel": True},
    }  # fmt: skip


@pytest.mark.parametrize("grants", [{"analytics": True}, {"analytics": True, "advertising": True}, {}])
def test_only_a_grant_brings_an_identifier(placed: FlaskClient, body: Body, grants: dict[str, bool]) -> None:
    answer = decide(placed, body, "britain", action="save", grants=grants)
    assert bool(answer["visitor"]) == bool(answer["state"]) == ("advertising" in grants)
    claims = receipt(placed, answer, "json").get_json()
    assert claims["grants"] == {"advertising": "advertising" in grants}
    assert claims["objections"]["purposes"] == {"analytics": "analytics" not in grants}


def test_no_form_of_a_receipt_says_that_what_runs_anyway_was_granted(placed: FlaskClient, body: Body) -> None:
    answer = decide(placed, body, "britain", action="accept_all", grants={"analytics": True, "advertising": True})
    page = receipt(placed, answer, "html").text
    assert page.count("Not objected") == 2
    assert 'data-of="objections-grants" data-key="analytics"' in page
    processes = receipt(placed, answer, "jsonld").get_json()["dpv:hasRecordOfActivity"]["dpv:hasProcess"]
    by_purpose = {process["@id"].rpartition("#")[2]: process for process in processes}
    assert "dpv:hasConsentStatus" not in by_purpose["analytics"]
    assert "dpv:hasConsentStatus" in by_purpose["advertising"]


def test_a_record_by_objection_is_on_record_as_any_other(placed: FlaskClient, services: Context, body: Body) -> None:
    answer = decide(placed, body, "america", action="save", grants={"analytics": True})
    checked = placed.post("/v1/receipts/verify", json={"receipt": answer["receipt"]}).get_json()
    assert {check["name"]: check["ok"] for check in checked["checks"] if check["name"] != "inclusion"} == {
        "signature": True, "key": True, "record": True,
    }  # fmt: skip


def test_the_declaration_tells_what_holds_where(placed: FlaskClient) -> None:
    facts = placed.get("/sites/shop/declaration?format=json").get_json()
    told = {one["key"]: (one["rule"], one["objections"]) for one in facts["regions"]}
    assert told["britain"] == ("opt-in", ["analytics"])
    assert told["america"] == ("opt-out", ["advertising", "analytics"])
    page = placed.get("/sites/shop/declaration?lang=fr").text
    assert "Royaume-Uni" in page
    assert "Actif jusqu’à votre opposition." in page


def test_the_page_without_script_has_on_what_runs(placed: FlaskClient) -> None:
    for place, signal, on in (("DE", "0", 0), ("GB", "0", 1), ("GB", "1", 0), ("US-CA", "0", 2)):
        page = placed.get("/sites/shop/choice", headers={HEADER: place, "Sec-GPC": signal}).text
        assert page.count(" checked ") == on, place


def test_without_a_header_everybody_is_asked_first(client: FlaskClient, apply_site: Apply) -> None:
    apply_site(WORLD)
    answer = client.get("/widget/shop.js", headers={HEADER: "US-CA"})
    assert shown_in("europe").hash in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"].startswith("public")
