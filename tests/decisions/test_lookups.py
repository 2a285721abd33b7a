"""What a visitor or an operator waits for is looked up by an index of its own, however many records a site has."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from consent_server.core.context import Context
from consent_server.decisions import store as decisions
from consent_server.decisions.rules_contents import Record
from consent_server.ledger import store as ledgers
from consent_server.receipts import store as erasure_requests
from tests.support.factories import Body
from tests.support.visitor import post, rows


def visitor_of(record: Record) -> UUID:
    assert record.visitor
    return record.visitor


LOOKUPS: dict[str, Callable[[Session, Record], object]] = {
    "decision id": lambda session, one: decisions.by_decision_id(session, one.site_id, one.decision_id),
    "receipt id": lambda session, one: decisions.by_receipt_id(session, one.receipt_id),
    "newest of a visitor": lambda session, one: decisions.newest_of_visitor(session, one.site_id, visitor_of(one)),
    "a visitor": lambda session, one: decisions.visitor_exists(session, one.site_id, visitor_of(one)),
    "sites of a visitor": lambda session, one: ledgers.sites_of(session, [visitor_of(one)], [one.id]),
    "leaves of a visitor": lambda session, one: ledgers.leaves_of(
        session, [one.site_id], [visitor_of(one)], [one.id], 10
    ),
    "leaves of visitors alone": lambda session, one: ledgers.leaves_of(
        session, [one.site_id], [visitor_of(one)], [], 10
    ),
    "a request for erasure": erasure_requests.requests_of,
    "a repeated post from before": lambda session, one: decisions.known_in_the_clear(
        session, [{"site_id": one.site_id, "decision_id": one.decision_id}]
    ),
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_no_look_up_goes_through_the_records_of_a_site(
    client: FlaskClient, services: Context, body: Body, name: str
) -> None:
    post(client, body())
    (record,) = rows(services)
    plans = plans_of(services, lambda session: LOOKUPS[name](session, record))
    assert plans
    for plan in plans:
        assert "SCAN decisions" not in plan
        assert "decisions USING INDEX ix_decisions_site" not in plan, plan


def plans_of(services: Context, look_up: Callable[[Session], object]) -> list[str]:
    """How SQLite does each query of a look-up."""
    said: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        said.append((statement, values))

    event.listen(services.database.engine, "before_cursor_execute", hear)
    try:
        with services.database.reading() as session:
            look_up(session)
    finally:
        event.remove(services.database.engine, "before_cursor_execute", hear)
    with services.database.engine.connect() as connection:
        return [
            "\n".join(row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values))
            for statement, values in said
            if "FROM decisions" in statement or "JOIN decisions" in statement
        ]
