"""Decisions with their receipts: inserted once, then only read."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.decisions.rows import DecisionRow

TABLE: Table = DecisionRow.__table__  # type: ignore[assignment]
# Made once: building an insert per request costs as much as running it.
_INSERT = {
    "sqlite": sqlite.insert(TABLE).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(TABLE).on_conflict_do_nothing(),
}


def append(session: Session, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Insert the decisions whose ids are new; return the receipt ids of those. A known one is left as it is."""
    connection = session.connection()
    insert = _INSERT[connection.dialect.name]
    # In one order everywhere: two writers with the same ids then queue, and never wait for each other in a ring.
    rows = sorted(rows, key=lambda row: (row["site_id"], row["decision_id"].bytes))
    ids = {row["receipt_id"] for row in rows}
    # One row goes as one statement: psycopg opens a pipeline for a list, even for a list of one.
    if connection.execute(insert, rows if len(rows) > 1 else rows[0]).rowcount == len(rows):
        return ids
    return set(session.scalars(select(DecisionRow.receipt_id).where(DecisionRow.receipt_id.in_(ids))))


def by_decision_id(session: Session, site_id: int, decision_id: UUID) -> DecisionRow | None:
    """The record of a decision id on a site."""
    return session.scalar(
        select(DecisionRow).where(DecisionRow.site_id == site_id, DecisionRow.decision_id == decision_id)
    )


def by_receipt_id(session: Session, receipt_id: UUID) -> DecisionRow | None:
    """The record of a receipt."""
    return session.scalar(select(DecisionRow).where(DecisionRow.receipt_id == receipt_id))


def newest_of_visitor(session: Session, site_id: int, visitor: UUID) -> DecisionRow | None:
    """The last record of a visitor of a site: what stands of all that they decided."""
    query = select(DecisionRow).where(DecisionRow.visitor == visitor, DecisionRow.site_id == site_id)
    return session.scalar(query.order_by(DecisionRow.id.desc()).limit(1))


def visitor_exists(session: Session, site_id: int, visitor: UUID) -> bool:
    """Whether this server gave this identifier to a visitor of this site."""
    query = select(DecisionRow.id).where(DecisionRow.visitor == visitor, DecisionRow.site_id == site_id)
    return session.scalar(query.limit(1)) is not None
