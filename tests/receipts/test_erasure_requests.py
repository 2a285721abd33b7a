"""By a receipt's link alone: ask for erasure, and what becomes of that."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from consent_server.core.context import Context
from consent_server.receipts.request_erasure import read_erasure_requests
from consent_server.receipts.store import ErasureRequestRow
from consent_server.sites import catalogue
from consent_server.sites.rules_rights import answer_by
from tests.support import jose
from tests.support.factories import RIVAL, Body, Clock
from tests.support.people import Person
from tests.support.receipt_page import HTML, has_button, page, path, press
from tests.support.visitor import post, rows


def ask(client: FlaskClient, said: dict[str, Any]) -> dict[str, Any]:
    """As the panel does, from the site's page."""
    answer = client.post(f"{path(said)}/erasure", headers={"Origin": "https://shop.example", "Accept": "*/*"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (202, "*")
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.on_both_databases
def test_asking_twice_is_one_request(
    client: FlaskClient, services: Context, grant: dict[str, Any], clock: Clock
) -> None:
    assert has_button(page(client, grant), "erasure")
    first = ask(client, grant)
    assert first == {"asked_at": "2026-11-23T17:00:00.250Z", "answer_by": "2026-12-23T17:00:00.250Z"}
    clock.advance(days=1)
    assert ask(client, grant) == first
    answer = press(client, grant, "erasure")
    assert (answer.status_code, answer.location) == (303, path(grant))
    shown = page(client, grant)
    assert not has_button(shown, "erasure")
    assert "Vous avez demandé l’effacement le 23 novembre 2026" in shown
    assert "23 décembre 2026" in shown
    with services.database.reading() as session:
        found = list(session.execute(text("SELECT * FROM erasure_requests")).mappings())
    assert [set(row) for row in found] == [{"decision_row", "asked_at", "refused_at", "reason"}]
    assert (found[0]["refused_at"], found[0]["reason"]) == (None, None)


@pytest.mark.on_both_databases
def test_a_request_covers_all_records_of_the_visitor(
    client: FlaskClient, services: Context, body: Body, grant: dict[str, Any]
) -> None:
    later = post(client, body(visitor=grant["visitor"], change=True)).get_json()
    ask(client, later)
    assert not has_button(page(client, grant), "erasure")
    assert ask(client, grant) == ask(client, later)
    (request,) = read_erasure_requests(services.database)
    assert str(request.receipt_id) == later["receipt_id"]


@pytest.mark.on_both_databases
def test_from_the_request_to_the_erasure(
    app: Flask, client: FlaskClient, services: Context, body: Body, grant: dict[str, Any], clock: Clock
) -> None:
    run = app.test_cli_runner().invoke
    post(client, body(visitor=grant["visitor"], change=True))
    refusal, bystander = (post(client, sent).get_json() for sent in (body.refusal(), body.refusal()))
    ask(client, grant)
    clock.advance(days=2)
    ask(client, refusal)
    listed = run(args=["visitor", "requests"]).stdout.splitlines()
    assert listed == [
        f"{grant['receipt_id']}\tshop\tasked 2026-11-23\tdecide by 2026-12-23\t28 days left",
        f"{refusal['receipt_id']}\tshop\tasked 2026-11-25\tdecide by 2026-12-25\t30 days left",
    ]
    assert run(args=["visitor", "requests", "rival"]).stdout == ""
    assert run(args=["visitor", "erase", "--requested", "rival"]).stdout == "0 removed\n"
    clock.advance(days=40)
    assert "overdue" in run(args=["visitor", "requests", "shop"]).stdout
    assert run(args=["visitor", "erase", "--requested"]).stdout == "3 removed\n"
    assert [str(row.receipt_id) for row in rows(services)] == [bystander["receipt_id"]]
    assert run(args=["visitor", "requests"]).stdout == ""
    assert run(args=["ledger", "check", "shop"]).exit_code == 0
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ErasureRequestRow)) == 0
    assert page(client, bystander)


def test_what_was_erased_says_so(app: Flask, client: FlaskClient, grant: dict[str, Any]) -> None:
    ask(client, grant)
    assert app.test_cli_runner().invoke(args=["visitor", "erase", "--requested", "shop"]).exit_code == 0
    for response in (
        client.get(path(grant)), client.get(f"{path(grant)}/proof"), client.get(f"{path(grant)}?format=jws"),
        client.post(f"{path(grant)}/erasure"), client.post(f"{path(grant)}/withdrawal"),
    ):  # fmt: skip
        assert response.status_code == 410
        assert response.get_json()["type"] == "/problems/removed-receipt"
    shown = client.get(path(grant), headers=HTML | {"Accept-Language": "es-ES,es;q=0.9"})
    assert shown.status_code == 410
    assert '<html lang="es"' in shown.text
    assert catalogue.locales()["es"]["receipt"]["gone"] in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


@pytest.mark.on_both_databases
def test_retention_takes_the_request_with_the_record(
    app: Flask, client: FlaskClient, services: Context, grant: dict[str, Any], clock: Clock
) -> None:
    ask(client, grant)
    clock.advance(days=4 * 366)
    assert app.test_cli_runner().invoke(args=["retention", "run"]).stdout == "1 removed\n"
    assert read_erasure_requests(services.database) == []


@pytest.mark.parametrize("arguments", [[], ["01a20959-a77a-7518-936b-f2062a57b346", "--requested"], ["x"]])
def test_erasing_whom(app: Flask, arguments: list[str]) -> None:
    result = app.test_cli_runner().invoke(args=["visitor", "erase", *arguments])
    assert result.exit_code == 2
    assert "Usage" in result.output


def test_an_unknown_site_has_no_requests(app: Flask) -> None:
    for arguments in (["requests", "nowhere"], ["erase", "--requested", "nowhere"]):
        assert app.test_cli_runner().invoke(args=["visitor", *arguments]).exit_code == 1


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("2026-11-23", "2026-12-23"), ("2026-12-31", "2027-01-30"), ("2027-01-31", "2027-02-28"),
     ("2027-02-10", "2027-03-10"), ("2028-01-30", "2028-02-29"), ("2027-02-28", "2027-03-28")],
)  # fmt: skip
def test_the_days_to_answer(asked: str, answered: str) -> None:
    at = datetime.fromisoformat(asked).replace(tzinfo=UTC)
    assert answer_by(at).date().isoformat() == answered


def test_the_rival_withdraws_at_the_rival(client: FlaskClient, services: Context, body: Body) -> None:
    notice = client.get("/v1/sites/rival/notice").headers["ETag"].strip('"')
    said = post(client, body(notice=notice, page=f"{RIVAL}/"), site="rival", origin=RIVAL).get_json()
    claims = client.get(press(client, said).location).get_json()
    assert (claims["site"], claims["action"]) == ("rival", "withdraw")
    assert json.dumps(claims).count("shop.example") == json.dumps(jose.claims(said["receipt"])).count("shop.example")


def test_the_list_of_requests_has_pages(
    client: FlaskClient, body: Body, olga: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consent_server.receipts.request_erasure.PAGE", 2)
    ids = []
    for _ in range(5):
        answer = post(client, body()).get_json()
        ids.append(answer["receipt_id"])
        assert client.post(f"{urlsplit(answer['receipt_url']).path}/erasure").status_code == 202
    there, seen = "/console/sites/shop/erasure-requests", []
    for number, ways in ((1, ["Newer"]), (2, ["Older", "Newer"]), (3, ["Older"])):
        text = olga.open(f"{there}?page={number}").text
        seen += re.findall(r"<code>([0-9a-f-]{36})</code>", text)
        assert re.findall(r'<a class="button"[^>]*>(Older|Newer)</a>', text) == ways
    assert seen == ids
    assert "To the oldest" in olga.open(f"{there}?page=4").text
    assert olga.open(f"{there}?page=0").status_code == 400
