"""Visitors' requests for erasure, open or refused: a request goes with its record."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Select, Table, Text, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from consent_server.core.columns import Base, BigId, UtcMilliseconds
from consent_server.core.rows import SiteRow
from consent_server.decisions import store as decisions
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_contents import Record


class ErasureRequestRow(Base):
    """That a visitor asked for the erasure of a record. Nothing else of the visitor; it goes with the record.

    `refused_at` and `reason` are what the visitor is told where the controller keeps the record.
    """

    __tablename__ = "erasure_requests"

    decision_row: Mapped[int] = mapped_column(
        BigId, ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    asked_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    refused_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    reason: Mapped[str | None] = mapped_column(Text)


TABLE: Table = ErasureRequestRow.__table__  # type: ignore[assignment]


_IS_OPEN = ErasureRequestRow.refused_at.is_(None)


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request by the receipt that it was made with. `visitor` is None for the one record of who refused."""

    site: str
    receipt_id: UUID
    decision_row: int
    visitor: UUID | None
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """When a request was refused, and the reason that its visitor is given."""

    at: datetime
    reason: str


def ask(session: Session, decision_row: int, at: datetime) -> None:
    """Open a request for a record. One that is open stays as it is; one that was refused is asked anew."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row = dialect.insert(TABLE).values(decision_row=decision_row, asked_at=at)
    anew = row.on_conflict_do_update(
        index_elements=["decision_row"],
        set_={"asked_at": at, "refused_at": None, "reason": None},
        where=TABLE.c.refused_at.is_not(None),
    )
    session.connection().execute(anew)


def requests_of(session: Session, record: Record) -> tuple[datetime | None, Refusal | None]:
    """Since when a request for the erasure of this record, or of another of its visitor, is open; and the last refusal.

    Each is None without one.
    """
    query = select(ErasureRequestRow.asked_at, ErasureRequestRow.refused_at, ErasureRequestRow.reason).join(
        DecisionRow, DecisionRow.id == ErasureRequestRow.decision_row
    )
    rows = session.execute(query.where(_whose(record))).all()
    refusals = [Refusal(at, reason or "") for _, at, reason in rows if at is not None]
    asked_at = min((asked for asked, refused_at, _ in rows if refused_at is None), default=None)
    return asked_at, max(refusals, key=lambda refusal: refusal.at, default=None)


def refuse(session: Session, asked: OpenRequest, at: datetime, reason: str) -> None:
    """End every open request of this visitor without erasing anything."""
    rows = [asked.decision_row]
    if asked.visitor is not None:
        mine = decisions.is_of(DecisionRow.visitor_tag, [asked.visitor])
        rows = list(session.scalars(select(DecisionRow.id).where(mine)))
    session.execute(
        update(ErasureRequestRow)
        .where(ErasureRequestRow.decision_row.in_(rows), _IS_OPEN)
        .values(refused_at=at, reason=reason)
    )


def _whose(record: Record) -> ColumnElement[bool]:
    if record.visitor is None:
        return DecisionRow.id == record.id
    return decisions.is_of(DecisionRow.visitor_tag, [record.visitor])


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
    return session.scalars(of_site.where(DecisionRow.site_id == site_id, _IS_OPEN)).one()


def open_request(session: Session, site_id: int, decision_row: int) -> OpenRequest | None:
    """The open request for a record of a site."""
    query = open_query().where(DecisionRow.site_id == site_id, DecisionRow.id == decision_row)
    return next(_opened(session, query), None)


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
        .where(_IS_OPEN)
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
