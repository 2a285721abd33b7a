"""The page of a record is one state of the database, read once."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.audit import read_record as reading
from consent_server.audit.read_record import read_record
from consent_server.core.context import Context
from consent_server.ledger.seal import seal_ledger
from consent_server.receipts.verify import Verification, verify_offline
from consent_server.sites.find import find_site
from tests.support.cast import token
from tests.support.factories import Body
from tests.support.traffic import Traffic, watch
from tests.support.visitor import post


@pytest.fixture
def granted(client: FlaskClient, body: Body) -> dict[str, Any]:
    """The answer to the second of two grants, not sealed yet."""
    post(client, body())
    answer: dict[str, Any] = post(client, body()).get_json()
    return answer


def seal(services: Context) -> None:
    seal_ledger(services.database, services.keys.ring, services.now)


def read(services: Context, receipt_id: str) -> Traffic:
    """What one reading asks of the database."""
    stored = find_site(services.database, "shop")
    with watch(services.database.engine) as traffic:
        story = read_record(services.database, services.keys.ring, stored, UUID(receipt_id), services.now)
    assert story is not None
    assert story.verification.valid
    assert story.proof is not None
    return traffic


def test_a_record_is_read_once(granted: dict[str, Any], services: Context) -> None:
    seal(services)
    traffic = read(services, granted["receipt_id"])
    assert traffic.transactions == 1
    assert traffic.asks("WHERE decisions.receipt_id") == 1
    assert traffic.asks("FROM tiles") == 1
    # The record and its key, its leaf, the checkpoint, its one tile, what stands beside the record, three for its
    # visitor's, what notices and arms are called, the first checkpoint and cosignatures over it, its pictures,
    # whether erasure was asked for, and the notice, which says of which purposes a vendor is.
    assert len(traffic.statements) == 16


def test_a_record_that_is_not_sealed_yet_is_sealed_and_read_again(granted: dict[str, Any], services: Context) -> None:
    traffic = read(services, granted["receipt_id"])
    assert traffic.asks("WHERE decisions.receipt_id") == 2
    sealed = read(services, granted["receipt_id"])
    assert sealed.transactions == 1


@pytest.mark.on_both_databases
def test_the_story_ends_where_its_reading_began(
    client: FlaskClient, body: Body, granted: dict[str, Any], services: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(services)
    change = body.refusal(visitor=granted["visitor"], change=True) | {"action": "withdraw", "method": "preferences"}

    def verify_then_withdraw(*given: Any) -> Verification:
        assert post(client, change).status_code == 201
        return verify_offline(*given)

    monkeypatch.setattr(reading, "verify_offline", verify_then_withdraw)
    stored = find_site(services.database, "shop")
    receipt_id = UUID(granted["receipt_id"])
    story = reading.read_record(services.database, services.keys.ring, stored, receipt_id, services.now)
    assert story is not None
    assert [str(item.receipt_id) for item in story.history] == [granted["receipt_id"]]


def test_the_page_opens_the_database_once_for_the_record(
    app: Flask, client: FlaskClient, granted: dict[str, Any], services: Context
) -> None:
    seal(services)
    headers, path = token(app, "auditor", "shop"), f"/console/sites/shop/records/{granted['receipt_id']}"
    # The first use of a day is written down.
    assert client.get(path, headers=headers).status_code == 200
    with watch(services.database.engine) as traffic:
        client.get(path, headers=headers)
    # Who asks, which site, the record, the line that says who looked, what purposes and vendors are called, and
    # the sites of the side bar.
    assert traffic.transactions == 6
