"""Remarks among the signed entries of a ledger."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.decisions.rows import DecisionRow
from consent_server.ledger.rows import LeafRow, RemovalRow


def keep(session: Session, site_id: int, rule: str, entry: str, salt: bytes, at: datetime) -> int:
    """Write a remark, in the ledger's turn; return its row id. Sealing gives it a leaf, as it does a removal."""
    row = RemovalRow(site_id=site_id, entry=entry, salt=salt, removed_at=at, rule=rule)
    session.add(row)
    session.flush()
    return row.id


def sealed(session: Session, site_id: int) -> list[tuple[int, str, bytes]]:
    """Leaf, entry and salt of each remark of a site, in order."""
    rows = session.execute(
        select(LeafRow.leaf_index, RemovalRow.entry, RemovalRow.salt)
        .join(LeafRow, LeafRow.removal_id == RemovalRow.id)
        .where(RemovalRow.site_id == site_id, RemovalRow.rule.is_not(None), LeafRow.site_id == site_id)
        .order_by(LeafRow.leaf_index)
    )
    return [(leaf_index, entry, salt) for leaf_index, entry, salt in rows]


def leaves_between(session: Session, site_id: int, first: int, end: int) -> set[int]:
    """Which leaves from `first` (included) to `end` (excluded) are remarks."""
    return {leaf_index for leaf_index, _, _ in sealed(session, site_id) if first <= leaf_index < end}


def leaves_recorded(session: Session, site_id: int, since: datetime, before: datetime) -> Iterator[int]:
    """Which leaves are records of this span (`before` excluded), ascending; of those that are there."""
    query = (
        select(LeafRow.leaf_index)
        .join(DecisionRow, DecisionRow.id == LeafRow.decision_row)
        .where(LeafRow.site_id == site_id, DecisionRow.recorded_at >= since, DecisionRow.recorded_at < before)
        .order_by(LeafRow.leaf_index)
        .execution_options(yield_per=10_000)
    )
    yield from session.scalars(query)


def every(session: Session, site_id: int) -> list[str]:
    """Each remark of a site, those without a leaf too."""
    query = select(RemovalRow.entry).where(RemovalRow.site_id == site_id, RemovalRow.rule.is_not(None))
    return list(session.scalars(query.order_by(RemovalRow.id)))
