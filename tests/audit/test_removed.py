"""A record that is gone is no dead end: its page says when records of its moment went, and why."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import Flask

from consent_server.core.context import Context
from consent_server.ledger.rows import CheckpointRow, CosignatureRow
from consent_server.sites.find import find_site
from tests.support.factories import Clock
from tests.support.people import Person
from tests.support.rates_page import text_of

RECORDS = "/console/sites/shop/records"
FIND = "/console/sites/shop/find"


def test_an_erased_record_says_when_it_went_and_why(
    app: Flask, ada: Person, recorded: list[dict[str, Any]], clock: Clock
) -> None:
    clock.advance(hours=1)
    app.test_cli_runner().invoke(args=["visitor", "erase", recorded[0]["visitor"]])
    held = ada.send(FIND, {"receipt": recorded[0]["receipt"]}, at=RECORDS)
    assert held.status_code == 410
    words = text_of(held.text)
    assert "The record was removed" in words
    assert "Erased: " in words
    assert f"{clock():%Y-%m-%d}" in held.text
    # Whoever has the number alone learns the same, and not that there was a record.
    named = ada.open(f"{RECORDS}/{recorded[0]['receipt_id']}")
    assert named.status_code == 404
    assert "There is no record of this number" in named.text
    assert "Erased: " in text_of(named.text)


def test_a_number_that_never_was_is_told_as_such(ada: Person, recorded: list[dict[str, Any]]) -> None:
    unknown = ada.open(f"{RECORDS}/{uuid4()}")
    assert unknown.status_code == 404
    assert "Erased" not in unknown.text


def test_a_record_says_who_witnessed_it(ada: Person, recorded: list[dict[str, Any]], services: Context) -> None:
    path = f"{RECORDS}/{recorded[0]['receipt_id']}"
    assert "Not witnessed" in ada.open(path).text
    with services.database.transaction() as session:
        site_id = find_site(services.database, "shop").id
        newest = session.query(CheckpointRow).filter_by(site_id=site_id).order_by(CheckpointRow.size.desc()).first()
        assert newest is not None
        at = newest.sealed_at + timedelta(minutes=5)
        seen = {"witness": "witness.example/w1", "key_id": b"1234", "line": "— witness.example/w1 x", "cosigned_at": at}
        session.add(CosignatureRow(site_id=site_id, size=newest.size, **seen))
    words = text_of(ada.open(path).text)
    assert "Not witnessed" not in words
    assert "Outside this server witness.example/w1 saw the ledger with this leaf in it" in words
