"""An operator decides on a visitor's request: it is carried out, or refused in words that the visitor reads."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from consent_server.core.context import Context
from consent_server.receipts import store_register
from consent_server.receipts.decide_request import read_register
from consent_server.receipts.request_erasure import count_erasure_requests
from consent_server.sites.find import find_site
from tests.support.factories import Body, Clock
from tests.support.people import HTML, Person
from tests.support.visitor import identifier, post

OWN = {"Origin": "https://consent.example", "Sec-Fetch-Site": "same-origin"}
LIST = "/console/sites/shop/erasure-requests"


@pytest.fixture
def asked(client: FlaskClient, body: Body) -> dict[str, Any]:
    """What the server answered to a grant whose visitor asks for erasure."""
    recorded: dict[str, Any] = post(client, body()).get_json()
    there = urlsplit(recorded["receipt_url"]).path
    assert client.post(f"{there}/erasure", headers=OWN).status_code in (200, 202, 303)
    return recorded | {"there": there}


@pytest.mark.on_both_databases
def test_carried_out_the_records_go_and_the_register_says_so(
    olga: Person, client: FlaskClient, body: Body, services: Context, asked: dict[str, Any]
) -> None:
    again = post(client, body(visitor=asked["visitor"], change=True)).get_json()
    page = f"{LIST}/{asked['receipt_id']}"
    assert "Remove 2 records for good" in olga.open(page).text
    # Nothing goes without the tick.
    assert olga.send(page, {"act": "erase"}).status_code == 400
    assert client.get(asked["there"]).status_code == 200
    assert olga.send(page, {"act": "erase", "sure": "yes"}).status_code == 303
    for one in (asked["there"], urlsplit(again["receipt_url"]).path):
        assert client.get(one).status_code == 410
    shop = find_site(services.database, "shop")
    assert count_erasure_requests(services.database, shop.id) == 0
    (ended,) = read_register(services.database, shop.id)
    assert (ended.records, ended.reason, ended.who) == (2, "", "olga@example.org")
    assert "carried out: 2 records removed" in olga.open(LIST).text
    with services.database.reading() as session:
        rows = str(session.execute(text("SELECT * FROM ended_requests")).all())
    for identifying in (str(identifier(asked["visitor"])), asked["receipt_id"], asked["decision_id"]):
        assert identifying not in rows
    assert olga.open(page).status_code == 404


@pytest.mark.on_both_databases
def test_refused_the_visitor_reads_why_and_may_ask_again(
    olga: Person, client: FlaskClient, services: Context, clock: Clock, asked: dict[str, Any]
) -> None:
    page, shop = f"{LIST}/{asked['receipt_id']}", find_site(services.database, "shop")
    for reason in ("", "  ", "x" * 1001):
        assert olga.send(page, {"act": "refuse", "reason": reason}).status_code == 400
    clock.advance(days=0, hours=1)
    because = "We keep the proof until <b>2027</b>."
    assert olga.send(page, {"act": "refuse", "reason": because}).status_code == 303
    assert count_erasure_requests(services.database, shop.id) == 0
    told = client.get(asked["there"], headers=HTML).text
    assert "We keep the proof until &lt;b&gt;2027&lt;/b&gt;." in told
    assert "You asked for erasure" not in told
    assert [ended.reason for ended in read_register(services.database, shop.id)] == [because]
    # Decided twice is not there; asked again it is open again, and nothing is told of the old answer.
    assert olga.send(LIST + "/" + asked["receipt_id"], {"act": "refuse", "reason": "no"}, at=LIST).status_code == 404
    client.post(f"{asked['there']}/erasure", headers=OWN)
    assert count_erasure_requests(services.database, shop.id) == 1
    told = client.get(asked["there"], headers=HTML).text
    assert "You asked for erasure" in told
    assert "We keep the proof" not in told


def test_a_request_of_another_site_is_not_there(olga: Person, asked: dict[str, Any]) -> None:
    there = f"/console/sites/rival/erasure-requests/{asked['receipt_id']}"
    assert olga.open(there).status_code == 404
    assert olga.send(there, {"act": "erase", "sure": "yes"}, at=LIST).status_code == 404


def test_nobody_else_decides(people: dict[str, Person], client: FlaskClient, asked: dict[str, Any]) -> None:
    for name in ("max", "ada", "rita"):
        sent = {"act": "erase", "sure": "yes"}
        assert people[name].send(f"{LIST}/{asked['receipt_id']}", sent, at="/console").status_code == 403
    assert client.get(asked["there"]).status_code == 200


def test_by_command(app: Flask, services: Context, asked: dict[str, Any]) -> None:
    run = app.test_cli_runner().invoke
    refused = run(args=["visitor", "refuse", "shop", asked["receipt_id"], "--reason", "Kept as proof."])
    assert (refused.exit_code, refused.output) == (0, "refused\n")
    shop = find_site(services.database, "shop")
    assert [one.who for one in read_register(services.database, shop.id)] == ["the command line"]
    again = run(args=["visitor", "refuse", "shop", asked["receipt_id"], "--reason", "Kept as proof."])
    assert again.exit_code == 1
    assert "No request is open" in again.stderr


def test_the_register_forgets_after_three_years(services: Context, app: Flask, clock: Clock) -> None:
    shop = find_site(services.database, "shop")
    for day in (0, 1, 3 * 365 + 1):
        at = clock.at.replace(microsecond=0)
        entry = store_register.EndedRequest(at, at, day, "", "olga@example.org")
        with services.database.transaction() as session:
            store_register.enter(session, shop.id, entry)
        clock.advance(days={0: 1, 1: 3 * 365}.get(day, 0))
    assert [one.records for one in read_register(services.database, shop.id)] == [3 * 365 + 1, 1]
