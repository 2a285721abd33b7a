"""A pack takes its own site's records, and no more questions the more of them are gone."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_server.audit.export import export_evidence
from consent_server.core.context import Context
from consent_server.ledger.read import read_checkpoint
from consent_server.ledger.seal import seal_ledger
from consent_server.receipts.erase_visitor import erase_visitor
from consent_server.sites.current_site import CurrentSites
from tests.support.factories import PUBLIC_URL, RIVAL, Body, Clock
from tests.support.traffic import watch
from tests.support.visitor import identifier, post

Export = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def export(services: Context, clock: Clock) -> Export:
    """Take the shop's pack; return the lines of a file of it."""

    def run(name: str = "records.jsonl", until: datetime | None = None) -> list[dict[str, Any]]:
        database, ring = services.database, services.keys.ring
        pieces = export_evidence(database, ring, PUBLIC_URL, clock, "shop", None, until)
        lines = zipfile.ZipFile(io.BytesIO(b"".join(pieces))).read(name).decode().splitlines()
        return [json.loads(line) for line in lines]

    return run


def test_the_ledger_of_another_site_is_left_alone(
    client: FlaskClient, body: Body, services: Context, clock: Clock, export: Export
) -> None:
    notice = client.get("/v1/sites/rival/notice").headers.get("ETag", "").strip('"')
    post(client, body())
    assert post(client, body(notice=notice, page=f"{RIVAL}/"), site="rival", origin=RIVAL).status_code == 201
    assert len(export()) == 1
    sizes = {done.site_id: done.size for done in seal_ledger(services.database, services.keys.ring, clock)}
    # It was still to be sealed; the shop's was not.
    assert sizes == {services[CurrentSites].get("rival").site_id: 1}
    assert read_checkpoint(services.database, services[CurrentSites].get("shop").site_id)


def test_the_more_is_removed_the_more_is_not_asked(
    client: FlaskClient, body: Body, services: Context, clock: Clock, export: Export
) -> None:
    answers = [post(client, body()).get_json() for _ in range(12)]
    seal_ledger(services.database, services.keys.ring, clock)
    until = clock()
    clock.advance(hours=1)

    def erase(answer: dict[str, Any]) -> None:
        visitor = identifier(answer["visitor"])
        erase_visitor(services.database, services.keys, PUBLIC_URL, clock, lambda size: b"\x01" * size, visitor)

    def ask() -> tuple[int, list[int]]:
        with watch(services.database.engine) as traffic:
            lines = export(until=until)
        return len(traffic.statements), [line["removed_by"] for line in lines if line["receipt"] is None]

    erase(answers[0])
    statements, removed_by = ask()
    assert removed_by == [12]
    for answer in answers[3:10]:
        erase(answer)
    assert ask() == (statements, [12, *range(13, 20)])
    # The removals of an older period are younger than it, and are in a file of their own.
    assert [line["leaf_index"] for line in export("removals.jsonl", until)] == [*range(12, 20)]
