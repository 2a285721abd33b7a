"""Figures about the server's work. Each is read from the end of an index: none costs more with more records."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, insert, select, text
from sqlalchemy.orm import Session

from consent_server.core.rows import SiteRow
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.ledger.rows import CheckpointRow, RemovalRow
from consent_server.sites.rows import LedgerRow, SiteChangesRow

# A row of its table that marks nothing.
NO_SITES = 2


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """How far a site's ledger is; the times are None where there is nothing."""

    site: str
    size: int
    oldest_decision: datetime | None
    oldest_removal: datetime | None
    sealed_at: datetime | None


def ledgers(session: Session) -> list[LedgerFigures]:
    """Every site's ledger, with when its oldest entries without a leaf were made and its newest checkpoint."""
    return [LedgerFigures(*row) for row in session.execute(ledgers_query())]


def ledger(session: Session, site_id: int) -> LedgerFigures:
    """The same of one site."""
    return LedgerFigures(*session.execute(ledgers_query().where(SiteRow.id == site_id)).one())


def ledgers_query() -> Select[str, int, datetime, datetime, datetime]:
    """What `ledgers` asks."""
    decision = select(DecisionRow.recorded_at).where(
        DecisionRow.site_id == LedgerRow.site_id, DecisionRow.id > LedgerRow.decisions_to
    )
    removal = select(RemovalRow.removed_at).where(
        RemovalRow.site_id == LedgerRow.site_id, RemovalRow.id > LedgerRow.removals_to
    )
    sealed = select(CheckpointRow.sealed_at).where(CheckpointRow.site_id == LedgerRow.site_id)
    return (
        select(
            SiteRow.key,
            LedgerRow.size,
            decision.order_by(DecisionRow.id).limit(1).scalar_subquery(),
            removal.order_by(RemovalRow.id).limit(1).scalar_subquery(),
            sealed.order_by(CheckpointRow.size.desc()).limit(1).scalar_subquery(),
        )
        .join(LedgerRow, LedgerRow.site_id == SiteRow.id)
        .order_by(SiteRow.key)
    )


def all_ledgers(session: Session, name: str) -> LedgerFigures:
    """The same of all sites together under a name: leaves in sum, the oldest of what waits, the newest checkpoint."""
    each = ledgers_query().subquery()
    _, size, decision, removal, sealed_at = each.c
    together = select(func.sum(size), func.min(decision), func.min(removal), func.max(sealed_at))
    leaves, *times = session.execute(together).one()
    return LedgerFigures(name, int(leaves or 0), *times)


def decisions_since(session: Session, since: datetime) -> list[tuple[str, dict[Action, int]]]:
    """How many records of each action every site has since a time."""
    rows = session.execute(decisions_query(since))
    return [(key, dict(zip(Action, counts, strict=True))) for key, *counts in rows]


def all_decisions_since(session: Session, since: datetime) -> dict[Action, int]:
    """The same of all sites together."""
    _, *counts = decisions_query(since).subquery().c
    row = session.execute(select(*(func.sum(count) for count in counts))).one()
    return {action: int(count or 0) for action, count in zip(Action, row, strict=True)}


def decisions_query(since: datetime) -> Select[str, *tuple[int, ...]]:
    """What `decisions_since` asks: one scan of one index's end for each site and action."""
    counts = (
        select(func.count())
        .select_from(DecisionRow)
        .where(DecisionRow.site_id == SiteRow.id, DecisionRow.action == action.value, DecisionRow.recorded_at >= since)
        .scalar_subquery()
        for action in Action
    )
    return select(SiteRow.key, *counts).order_by(SiteRow.key)


def last_decision(session: Session, site_id: int) -> datetime | None:
    """When the newest record of a site was made."""
    query = select(DecisionRow.recorded_at).where(DecisionRow.site_id == site_id).order_by(DecisionRow.id.desc())
    return session.scalar(query.limit(1))


def write_and_take_back(session: Session) -> None:
    """Write a row and delete it: a commit of it reaches the disk, and nothing is left."""
    session.execute(insert(SiteChangesRow).values(id=NO_SITES, mark=0))
    session.execute(delete(SiteChangesRow).where(SiteChangesRow.id == NO_SITES))


def database_bytes(session: Session) -> int:
    """How large the database is, without what SQLite has not yet written back from its log."""
    embedded = session.get_bind().dialect.name == "sqlite"
    query = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if embedded
        else "SELECT pg_database_size(current_database())"
    )
    return int(session.scalar(text(query)) or 0)
