"""An identifier acts only with the tag that this server gave with it, and knowing a receipt is not holding it."""

from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.core.keys import LinkSigner
from consent_server.decisions.visitor_tags import VisitorTags
from consent_server.sites.current_site import CurrentSites
from tests.support import jose
from tests.support.factories import SHOP, Body, Clock
from tests.support.visitor import post, rows


@pytest.fixture
def grant(client: FlaskClient, body: Body) -> dict[str, Any]:
    """The answer to a grant."""
    found: dict[str, Any] = post(client, body()).get_json()
    return found


def subject(said: dict[str, Any]) -> str:
    """The identifier as the receipt names it."""
    return str(jose.claims(said["receipt"])["sub"])


def test_what_was_given_is_read_back() -> None:
    tags = VisitorTags(lambda purpose: LinkSigner("secret", purpose))
    visitor = UUID("01a20959-a680-7d79-9a08-d1188c3c1279")
    given = tags.give("shop", visitor)
    assert tags.read("shop", given) == visitor
    other = VisitorTags(lambda purpose: LinkSigner("another secret", purpose)).give("shop", visitor)
    for forged in (
        None, "", ".", str(visitor), f"{visitor}.", given[:-1], given + "A", given.upper(),
        f"{{{visitor}}}{given[36:]}",
        tags.give("rival", visitor), other, f"{given}\n", f"{visitor}.\udc80", given.replace("01a", "01b", 1),
    ):  # fmt: skip
        assert tags.read("shop", forged) is None, forged


@pytest.mark.on_both_databases
def test_the_identifier_of_a_receipt_is_taken_for_an_unknown(
    client: FlaskClient, body: Body, services: Context, grant: dict[str, Any]
) -> None:
    named = subject(grant)
    rival = body(notice=services[CurrentSites].get("rival").notice.hash)
    elsewhere = post(client, rival, site="rival", origin="https://rival.example").get_json()["visitor"]
    tag = grant["visitor"].partition(".")[2]
    forged = [named, named.upper(), f"{named}.{'A' * 22}", f"{named}.{elsewhere.partition('.')[2]}", elsewhere,
              f"{named}.{tag[:-1]}", f"{named}.{tag}A", f"{named}.{tag.swapcase()}"]  # fmt: skip
    for visitor in forged:
        answer = post(client, body(visitor=visitor, change=True))
        assert answer.status_code == 201
        assert subject(answer.get_json()) not in (named, subject_of(elsewhere))
    # Nor may such a post withdraw, erase or be followed by the page of the true one.
    withdrawal = body.refusal(visitor=named, change=True) | {"action": "withdraw", "method": "preferences"}
    assert post(client, withdrawal).status_code == 201
    assert rows(services)[-1].visitor is None
    assert post(client, body(visitor=grant["visitor"], change=True)).get_json()["visitor"] == grant["visitor"]
    assert [str(row.visitor) for row in rows(services)].count(named) == 2


def subject_of(kept: str) -> str:
    return kept.partition(".")[0]


def test_a_forged_acceptance_does_not_undo_a_withdrawal(client: FlaskClient, body: Body, grant: dict[str, Any]) -> None:
    link = grant["receipt_url"].partition("/v1/")[2]
    assert client.post(f"/v1/{link}/withdrawal").status_code == 303
    post(client, body(visitor=subject(grant), change=True))
    page = client.get(f"/v1/{link}", headers={"Accept": "text/html"}).text
    assert '/withdrawal"><button' not in page


def test_the_tag_stands_in_no_receipt_and_no_record(
    app: Flask, client: FlaskClient, body: Body, services: Context, grant: dict[str, Any]
) -> None:
    again = post(client, body(visitor=grant["visitor"], change=True)).get_json()
    tag = grant["visitor"].partition(".")[2]
    kept = repr(rows(services))
    assert subject(grant) in repr([str(row.visitor) for row in rows(services)])
    assert tag not in kept + repr(jose.claims(again["receipt"])) + repr(jose.claims(again["state"]))


def test_whoever_reads_a_receipt_gets_no_link_by_posting_it_again(
    client: FlaskClient, body: Body, clock: Clock, services: Context
) -> None:
    sent = body()
    first = post(client, sent).get_json()
    clock.advance(hours=25)
    again = post(client, sent, headers={"Sec-Fetch-Site": "same-origin"})
    assert again.status_code == 200
    said = again.get_json()
    assert (said["receipt_url"], said["visitor"]) == (None, None)
    assert said == first | {"receipt_url": None, "visitor": None}
    assert "i" not in parse_qs(again.headers["Set-Cookie"].partition("=")[2].partition(";")[0])
    assert len(rows(services)) == 1


def test_a_post_that_names_a_visitor_is_repeated_only_with_the_tag(
    client: FlaskClient, body: Body, grant: dict[str, Any], clock: Clock
) -> None:
    sent = body(visitor=grant["visitor"], change=True)
    first = post(client, sent)
    assert first.status_code == 201
    # Who has the tag may ask for the answer whenever they like.
    clock.advance(days=30)
    again = post(client, sent)
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert post(client, sent | {"visitor": subject(grant)}).status_code == 409


def test_a_form_on_the_site_s_own_host_acts_by_the_whole_cookie_alone(
    client: FlaskClient, services: Context, grant: dict[str, Any]
) -> None:
    headers = {"Origin": SHOP, "Sec-Fetch-Site": "same-origin"}
    form = {"action": "accept_all", "notice": services[CurrentSites].get("shop").notice.hash}
    for kept, same in ((grant["visitor"], True), (subject(grant), False)):
        cookie = {"Cookie": f"eu-consent=v=1&t=1&n=0123456789abcdef&p.analytics=1&i={kept}"}
        assert client.post("/sites/shop/choice", data=form, headers=headers | cookie).status_code == 200
        assert (str(rows(services)[-1].visitor) == subject(grant)) is same
