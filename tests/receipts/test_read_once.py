"""The page of a receipt is one state of the database, and checks each signature once."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core import keys
from consent_server.core.context import Context
from consent_server.ledger.seal import seal_ledger
from consent_server.receipts import read, read_page
from tests.support.cast import token
from tests.support.factories import Body
from tests.support.traffic import watch
from tests.support.visitor import post


@pytest.fixture
def granted(client: FlaskClient, body: Body, services: Context) -> dict[str, Any]:
    """The answer to the second of two grants, sealed."""
    post(client, body())
    answer: dict[str, Any] = post(client, body()).get_json()
    seal_ledger(services.database, services.keys.ring, services.now)
    return answer


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature is checked."""
    tokens: list[str] = []

    def count(token: str, *rest: Any) -> dict[str, Any]:
        tokens.append(token)
        return keys.verify_jws(token, *rest)

    monkeypatch.setattr(read, "verify_jws", count)
    return tokens


def test_the_page_of_a_receipt_is_read_once(
    client: FlaskClient, granted: dict[str, Any], services: Context, verified: list[str]
) -> None:
    with watch(services.database.engine) as traffic:
        page = client.get(urlsplit(granted["receipt_url"]).path, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert traffic.transactions == 1
    assert traffic.asks("WHERE decisions.receipt_id") == 1
    assert verified == [granted["receipt"]]
    # The record, its notice's body and date, its visitor's newest record, the keys of both and the requests for
    # erasure; the site; and the proof: leaf, checkpoint, tile.
    assert len(traffic.statements) == 11


def test_a_withdrawn_receipt_and_its_withdrawal_are_checked_once_each(
    client: FlaskClient, granted: dict[str, Any], body: Body, services: Context, verified: list[str]
) -> None:
    sent = body.refusal(visitor=granted["visitor"], change=True) | {"action": "withdraw", "method": "preferences"}
    withdrawn = post(client, sent).get_json()
    with watch(services.database.engine) as traffic:
        page = client.get(urlsplit(granted["receipt_url"]).path, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert traffic.transactions == 1
    assert verified == [granted["receipt"], withdrawn["receipt"]]


@pytest.mark.on_both_databases
def test_the_page_shows_nothing_that_is_written_meanwhile(
    client: FlaskClient, granted: dict[str, Any], body: Body, services: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawal = body.refusal(visitor=granted["visitor"], change=True) | {"action": "withdraw", "method": "preferences"}

    def read_then_withdraw(*given: Any) -> read.ReadReceipt:
        receipt = read.read_recorded(*given)
        assert post(client, withdrawal).status_code == 201
        return receipt

    monkeypatch.setattr(read_page, "read_recorded", read_then_withdraw)
    ring, now = services.keys.ring, services.now()
    page = read_page.read_page(services.database, ring, granted["receipt_id"], now)
    assert not page.standing.replaced


def test_an_auditor_may_read_it_by_one_look(
    app: Flask, client: FlaskClient, granted: dict[str, Any], services: Context
) -> None:
    headers = token(app, "auditor", "shop") | {"Accept": "text/html"}
    # The first use of a day is written down.
    assert client.get(f"/v1/receipts/{granted['receipt_id']}", headers=headers).status_code == 200
    with watch(services.database.engine) as traffic:
        client.get(f"/v1/receipts/{granted['receipt_id']}", headers=headers)
    # Who asks, whose receipt it is, the line that says who looked, and the receipt.
    assert traffic.transactions == 4
    assert traffic.asks("WHERE decisions.receipt_id") == 2
