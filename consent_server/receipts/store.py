"""Visitors' requests for erasure, as long as they are open: a request goes with its record."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Select, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from consent_server.core.columns import Base, BigId, UtcMilliseconds
from consent_server.core.rows import SiteRow
from consent_server.decisions import store as decisions
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_contents import Record


class ErasureRequestRow(Base):
    """That a visitor asked for the erasure of a record. Nothing else of the visitor; it goes with the record."""

    __tablename__ = "erasure_requests"

    decision_row: Mapped[int] = mapped_column(
        BigId, ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    asked_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


TABLE: Table = ErasureRequestRow.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request by the receipt that it was made with. `visitor` is None for the one record of who refused."""

    site: str
    receipt_id: UUID
    decision_row: int
    visitor: UUID | None
    asked_at: datetime


def ask(session: Session, decision_row: int, at: datetime) -> None:
    """Open a request for a record. One that was opened before stays as it is."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row = dialect.insert(TABLE).values(decision_row=decision_row, asked_at=at)
    session.connection().execute(row.on_conflict_do_nothing())


def asked_at(session: Session, record: Record) -> datetime | None:
    """When erasure of this record, or of another of its visitor, was first asked for."""
    whose = DecisionRow.id == record.id
    if record.visitor is not None:
        whose = decisions.is_of(DecisionRow.visitor_tag, [record.visitor])
    first = select(func.min(ErasureRequestRow.asked_at)).join(
        DecisionRow, DecisionRow.id == ErasureRequestRow.decision_row
    )
    return session.scalar(first.where(whose))


def open_requests(session: Session, site_id: int | None = None) -> Iterator[OpenRequest]:
    """Those of a site, or of all, oldest first."""
    query = open_query()
    yield from _opened(session, query if site_id is None else query.where(DecisionRow.site_id == site_id))


def page_of_open(session: Session, site_id: int, skipped: int, limit: int) -> list[OpenRequest]:
    """Those of a site, oldest first, from a place in that order on."""
    query = open_query().where(DecisionRow.site_id == site_id).offset(skipped).limit(limit)
    return list(_opened(session, query))


def count_open(session: Session, site_id: int) -> int:
    """How many of a site are open."""
    query = select(func.count()).select_from(ErasureRequestRow)
    of_site = query.join(DecisionRow, DecisionRow.id == ErasureRequestRow.decision_row)
    return session.scalars(of_site.where(DecisionRow.site_id == site_id)).one()


def _opened(session: Session, query: Select[str, DecisionRow, datetime]) -> Iterator[OpenRequest]:
    rows = session.execute(query).all()
    records = decisions.opened(session, [row for _, row, _ in rows])
    for record, (site, _, at) in zip(records, rows, strict=True):
        yield OpenRequest(site, record.receipt_id, record.id, record.visitor, at)


def open_query() -> Select[str, DecisionRow, datetime]:
    """What `open_requests` asks: one look-up for each open request, however many records there are."""
    return (
        select(SiteRow.key, DecisionRow, ErasureRequestRow.asked_at)
        .select_from(ErasureRequestRow)
        .join(DecisionRow, DecisionRow.id == ErasureRequestRow.decision_row)
        .join(SiteRow, SiteRow.id == DecisionRow.site_id)
        .order_by(ErasureRequestRow.asked_at, ErasureRequestRow.decision_row)
    )


def standing(session: Session, visitors: Collection[UUID], records: Collection[int]) -> dict[int, str]:
    """Row id and site of every record of these visitors, and of these records by row id."""
    rows = session.execute(
        select(DecisionRow.id, SiteRow.key)
        .join(SiteRow, SiteRow.id == DecisionRow.site_id)
        .where(decisions.is_of(DecisionRow.visitor_tag, visitors) | DecisionRow.id.in_(records))
    )
    return {row_id: key for row_id, key in rows}


def count_before(session: Session, site_id: int, before: datetime) -> int:
    """How many records of a site were made before a time and still stand."""
    # The start of one index an action, side by side: there is none of the time alone.
    older = [
        select(func.count()).where(
            DecisionRow.site_id == site_id, DecisionRow.action == action.value, DecisionRow.recorded_at < before
        )
        for action in Action
    ]
    return sum(session.scalar(query) or 0 for query in older)
