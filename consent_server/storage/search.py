"""Finding records for auditors: pages of any filter, newest first, at the same cost wherever they lie."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from consent_server.domain.decision import Action
from consent_server.storage.rows import (
    CheckpointRow,
    DecisionRow,
    LeafRow,
    NoticeRow,
    PublicationRow,
    RemovalRow,
    RemovedRow,
    WidgetRow,
)

# Acts that can leave anything granted.
GRANTING = (Action.ACCEPT_ALL, Action.SAVE, Action.GPC)
# So many notices are looked through one by one; a purpose that more of them have is common enough to be met.
MOST_SOURCES = 20

Place = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Filter:
    """What to find on a site. `since` is included, `before` is not; `purpose` is one that was granted."""

    since: datetime | None = None
    before: datetime | None = None
    action: Action | None = None
    purpose: str | None = None
    visitor: UUID | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record as the list shows it."""

    row: DecisionRow
    notice: str
    leaf_index: int | None


def page(session: Session, site_id: int, wanted: Filter, after: Place | None, limit: int) -> list[FoundRecord]:
    """Records behind a place, in the order of time and row id, newest first.

    Records that come in meanwhile stand before every place already given out, or are new there: none that
    was there is shown twice or passed over.
    """
    places = merge(*_branches(session, site_id, wanted, after, limit), reverse=True)
    return _records(session, [row_id for _, row_id in islice(places, limit)])


def _branches(
    session: Session, site_id: int, wanted: Filter, after: Place | None, limit: int
) -> Iterator[Iterable[Place]]:
    for query in queries(session, site_id, wanted, after):
        yield [(at, row_id) for at, row_id in session.execute(query.limit(limit))]


def queries(session: Session, site_id: int, wanted: Filter, after: Place | None) -> Iterator[Select[datetime, int]]:
    """Scans which together hold what is wanted, each of the start of one index and in its order."""
    if wanted.visitor is not None:
        # One visitor has few records. The sum hides the other column from the planner: the visitor is the index.
        own = (DecisionRow.visitor == wanted.visitor, DecisionRow.site_id + 0 == site_id)
        yield _scan(own, wanted, after, _of_notice(session, site_id, wanted), wanted.action)
        return
    actions = [wanted.action] if wanted.action else list(GRANTING if wanted.purpose else Action)
    for source in _sources(session, site_id, wanted):
        for action in actions:
            yield _scan((source, DecisionRow.action == action.value), wanted, after)


def _sources(session: Session, site_id: int, wanted: Filter) -> list[ColumnElement[bool]]:
    if wanted.notice is not None:
        return _of_notice(session, site_id, wanted)
    if wanted.purpose is not None:
        ids = notices_with(session, site_id, wanted.purpose)
        if len(ids) <= MOST_SOURCES:
            return [DecisionRow.notice_id == notice_id for notice_id in ids]
    return [DecisionRow.site_id == site_id]


def _of_notice(session: Session, site_id: int, wanted: Filter) -> list[ColumnElement[bool]]:
    if wanted.notice is None:
        return []
    query = select(NoticeRow.id).where(NoticeRow.hash == wanted.notice, NoticeRow.site_id == site_id)
    # Row ids begin at 1: a notice of another site has no records here.
    return [DecisionRow.notice_id == (session.scalar(query) or 0)]


def _scan(
    where: Sequence[ColumnElement[bool]],
    wanted: Filter,
    after: Place | None,
    more: Sequence[ColumnElement[bool]] = (),
    action: Action | None = None,
) -> Select[datetime, int]:
    query = select(DecisionRow.recorded_at, DecisionRow.id).where(*where, *more)
    if action is not None:
        query = query.where(DecisionRow.action == action.value)
    if wanted.since is not None:
        query = query.where(DecisionRow.recorded_at >= wanted.since)
    if wanted.before is not None:
        query = query.where(DecisionRow.recorded_at < wanted.before)
    if wanted.purpose is not None:
        query = query.where(DecisionRow.granted.contains(f" {wanted.purpose} ", autoescape=True))
    if after is not None:
        at, row_id = after
        # The first half bounds the scan; both databases read the second row by row only within it.
        query = query.where(DecisionRow.recorded_at <= at, or_(DecisionRow.recorded_at < at, DecisionRow.id < row_id))
    return query.order_by(DecisionRow.recorded_at.desc(), DecisionRow.id.desc())


def _records(session: Session, ids: Sequence[int]) -> list[FoundRecord]:
    found = {
        row.id: FoundRecord(row, notice, leaf_index)
        for row, notice, leaf_index in session.execute(
            select(DecisionRow, NoticeRow.hash, LeafRow.leaf_index)
            .join(NoticeRow, NoticeRow.id == DecisionRow.notice_id)
            .outerjoin(LeafRow, LeafRow.decision_row == DecisionRow.id)
            .where(DecisionRow.id.in_(ids))
        )
    }
    return [found[row_id] for row_id in ids if row_id in found]


def record(session: Session, site_id: int, receipt_id: UUID) -> FoundRecord | None:
    """A record of a site by its receipt id."""
    query = select(DecisionRow.id).where(DecisionRow.receipt_id == receipt_id, DecisionRow.site_id == site_id)
    row_id = session.scalar(query)
    return None if row_id is None else next(iter(_records(session, [row_id])), None)


def site_of_receipt(session: Session, receipt_id: UUID) -> int | None:
    """The site on which a receipt was made."""
    return session.scalar(select(DecisionRow.site_id).where(DecisionRow.receipt_id == receipt_id))


def leaf(session: Session, site_id: int, index: int) -> tuple[LeafRow, FoundRecord | None] | None:
    """A leaf of a ledger with its record, if that still stands."""
    row = session.get(LeafRow, (site_id, index))
    if row is None:
        return None
    records = _records(session, [row.decision_row]) if row.decision_row else []
    return row, next(iter(records), None)


def notices_of(session: Session, site_id: int) -> list[tuple[int, str, Any]]:
    """Row id, hash and body of every notice of a site, oldest first."""
    rows = session.execute(
        select(NoticeRow.id, NoticeRow.hash, NoticeRow.body).where(NoticeRow.site_id == site_id).order_by(NoticeRow.id)
    )
    return [(row_id, notice_hash, body) for row_id, notice_hash, body in rows]


def notices_with(session: Session, site_id: int, purpose: str) -> list[int]:
    """Row ids of the notices of a site that name a purpose."""
    # Keys are plain ASCII and the bodies canonical, so that this text stands there if the key does.
    text = f'"key":"{purpose}","signals"'.encode()
    return [row_id for row_id, _, body in notices_of(session, site_id) if text in body]


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers that must fit together when nothing is missing."""

    leaves: int
    highest: int | None
    of_records: int
    removed: int
    records: int
    waiting: int


def counts(session: Session, site_id: int, decisions_to: int) -> Counts:
    """Count leaves and records of a site."""
    leaves, highest, of_records = session.execute(
        select(func.count(), func.max(LeafRow.leaf_index), func.count(LeafRow.decision_row)).where(
            LeafRow.site_id == site_id
        )
    ).one()
    removed = session.scalar(
        select(func.coalesce(func.sum(RemovedRow.last - RemovedRow.first + 1), 0)).where(RemovedRow.site_id == site_id)
    )
    sealed = select(func.count()).where(DecisionRow.site_id == site_id, DecisionRow.id <= decisions_to)
    waiting = select(func.count()).where(DecisionRow.site_id == site_id, DecisionRow.id > decisions_to)
    return Counts(
        leaves, highest, of_records, int(removed or 0), session.scalar(sealed) or 0, session.scalar(waiting) or 0
    )


def newest_times(session: Session, site_id: int, limit: int) -> list[tuple[int, datetime]]:
    """Row id and time of the newest records, in the order in which they were stored, newest first."""
    query = select(DecisionRow.id, DecisionRow.recorded_at).where(DecisionRow.site_id == site_id)
    return [(row_id, at) for row_id, at in session.execute(query.order_by(DecisionRow.id.desc()).limit(limit))]


def newest_checkpoints(session: Session, site_id: int, limit: int) -> Sequence[CheckpointRow]:
    """The newest checkpoints of a ledger, newest first."""
    query = select(CheckpointRow).where(CheckpointRow.site_id == site_id).order_by(CheckpointRow.size.desc())
    return session.scalars(query.limit(limit)).all()


def checkpoints_between(session: Session, site_id: int, size: int, end: int) -> list[CheckpointRow]:
    """The checkpoint that covers leaf `size`, and those after it up to the one that covers leaf `end` - 1."""
    first = select(CheckpointRow).where(CheckpointRow.site_id == site_id, CheckpointRow.size > size)
    inside = list(session.scalars(first.where(CheckpointRow.size < end).order_by(CheckpointRow.size)))
    last = session.scalar(first.where(CheckpointRow.size >= end).order_by(CheckpointRow.size).limit(1))
    return [*inside, *([last] if last else [])]


def checkpoint_upto(session: Session, site_id: int, size: int) -> CheckpointRow | None:
    """The newest checkpoint of at most this size."""
    query = select(CheckpointRow).where(CheckpointRow.site_id == site_id, CheckpointRow.size <= size)
    return session.scalar(query.order_by(CheckpointRow.size.desc()).limit(1))


def removals_between(session: Session, site_id: int, first: int, end: int) -> Sequence[str]:
    """The entries of the removals that name leaves from `first` (included) to `end` (excluded)."""
    query = select(RemovalRow.entry).join(RemovedRow, RemovedRow.removal_id == RemovalRow.id)
    inside = (RemovedRow.site_id == site_id, RemovedRow.last >= first, RemovedRow.first < end)
    return session.scalars(query.where(*inside).distinct()).all()


def publications(session: Session, site_id: int) -> list[tuple[str, int, datetime]]:
    """Hash and row id of each notice that came into force, and when, oldest first."""
    rows = session.execute(
        select(NoticeRow.hash, NoticeRow.id, PublicationRow.published_at)
        .join(NoticeRow, NoticeRow.id == PublicationRow.notice_id)
        .where(PublicationRow.site_id == site_id)
        .order_by(PublicationRow.id)
    )
    return [(notice_hash, notice_id, at) for notice_hash, notice_id, at in rows]


def span_of_notice(session: Session, notice_id: int) -> tuple[datetime | None, datetime | None]:
    """When the first and the last record under a notice were made."""
    firsts, lasts = [], []
    for action in Action:
        # One end of an index each: min and max over all actions at once would read every entry.
        own = (DecisionRow.notice_id == notice_id, DecisionRow.action == action.value)
        firsts.append(session.scalar(select(func.min(DecisionRow.recorded_at)).where(*own)))
        lasts.append(session.scalar(select(func.max(DecisionRow.recorded_at)).where(*own)))
    return (
        min((at for at in firsts if at is not None), default=None),
        max((at for at in lasts if at is not None), default=None),
    )


def removals(session: Session, site_id: int, limit: int) -> list[tuple[RemovalRow, int, int]]:
    """The newest removals with the number of their leaves and their own leaf."""
    rows = session.execute(
        select(RemovalRow, func.coalesce(func.sum(RemovedRow.last - RemovedRow.first + 1), 0), LeafRow.leaf_index)
        .outerjoin(RemovedRow, RemovedRow.removal_id == RemovalRow.id)
        .outerjoin(LeafRow, LeafRow.removal_id == RemovalRow.id)
        .where(RemovalRow.site_id == site_id)
        .group_by(RemovalRow.id, LeafRow.leaf_index)
        .order_by(RemovalRow.id.desc())
        .limit(limit)
    )
    return [(removal, int(count), leaf_index) for removal, count, leaf_index in rows]


def widgets(session: Session) -> list[tuple[str, datetime]]:
    """Hash and first day of all widget code that was served, oldest first."""
    rows = session.execute(select(WidgetRow.hash, WidgetRow.created_at).order_by(WidgetRow.created_at, WidgetRow.hash))
    return [(widget_hash, at) for widget_hash, at in rows]
