"""Finding records for auditors: pages of any filter, newest first, at the same cost wherever they lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from consent_server.audit.rules_search import Filter, Place
from consent_server.decisions import store as decisions
from consent_server.decisions.rows import DecisionRow, granted_start, is_choice
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_contents import Record
from consent_server.ledger.rows import CheckpointRow, CosignatureRow, LeafRow, RemovalRow, RemovedRow
from consent_server.sites.rows import NoticeRow, PublicationRow, WidgetRow

# As much of what a choice granted as is indexed (rows.py). A text of that length may have been cut.
INDEXED = 200


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record as the list shows it."""

    row: Record
    notice: str
    leaf_index: int | None


@dataclass(frozen=True, slots=True)
class Scan:
    """The start of one index in its order. `newest` is the time of the first record that it finds, where known."""

    query: Select[datetime, int]
    newest: datetime | None = None


def page(session: Session, site_id: int, wanted: Filter, after: Place | None, limit: int) -> list[FoundRecord]:
    """Records behind a place, in the order of time and row id, newest first.

    Records that come in meanwhile stand before every place already given out, or are new there: none that
    was there is shown twice or passed over.
    """
    places: list[Place] = []
    for scan in scans(session, site_id, wanted, after):
        if scan.newest and len(places) == limit and scan.newest < places[-1][0]:
            break
        more = [(at, row_id) for at, row_id in session.execute(scan.query.limit(limit))]
        places = nlargest(limit, [*places, *more])
    return _records(session, [row_id for _, row_id in places])


def scans(session: Session, site_id: int, wanted: Filter, after: Place | None) -> list[Scan]:
    """Scans which together hold what is wanted, the one with the newest record first."""
    within = _within(wanted, after)
    if wanted.visitor is not None:
        # One visitor has few records. The sum hides the other column from the planner: the visitor is the index.
        own = [decisions.is_of(DecisionRow.visitor_tag, [wanted.visitor]), DecisionRow.site_id + 0 == site_id]
        own += [DecisionRow.action == wanted.action.value] if wanted.action else []
        own += [_grants(DecisionRow.granted, wanted.purpose)] if wanted.purpose else []
        own += [DecisionRow.notice_id == _notice(session, site_id, wanted.notice)] if wanted.notice else []
        return [Scan(_scan(*own, *within))]
    if wanted.purpose is not None:
        notices = notices_with(session, site_id, wanted.purpose)
        if wanted.notice is not None:
            notices = [row_id for row_id in notices if row_id == _notice(session, site_id, wanted.notice)]
        granting = _granting(session, notices, wanted.purpose, wanted.action, within)
        return sorted(granting, key=attrgetter("newest"), reverse=True)
    source = DecisionRow.site_id == site_id
    if wanted.notice is not None:
        source = DecisionRow.notice_id == _notice(session, site_id, wanted.notice)
    actions = [wanted.action] if wanted.action else list(Action)
    return [Scan(_scan(source, DecisionRow.action == action.value, *within)) for action in actions]


Condition = ColumnElement[bool]


def _within(wanted: Filter, after: Place | None) -> list[Condition]:
    within = [DecisionRow.recorded_at >= wanted.since] if wanted.since is not None else []
    # One bound from above, the lower: of two, SQLite begins its scan at either.
    if after is not None and (wanted.before is None or after[0] < wanted.before):
        at, row_id = after
        # The first bounds the scan; both databases read the second row by row only within it.
        within.append(DecisionRow.recorded_at <= at)
        within.append(or_(DecisionRow.recorded_at < at, DecisionRow.id < row_id))
    elif wanted.before is not None:
        within.append(DecisionRow.recorded_at < wanted.before)
    return within


def _scan(*where: Condition) -> Select[datetime, int]:
    query = select(DecisionRow.recorded_at, DecisionRow.id).where(*where)
    return query.order_by(DecisionRow.recorded_at.desc(), DecisionRow.id.desc())


def _newest(*where: Condition) -> ScalarSelect[datetime]:
    return _scan(*where).with_only_columns(DecisionRow.recorded_at).limit(1).scalar_subquery()


def _notice(session: Session, site_id: int, notice_hash: str) -> int:
    query = select(NoticeRow.id).where(NoticeRow.hash == notice_hash, NoticeRow.site_id == site_id)
    # Row ids begin at 1: a notice of another site has no records here.
    return session.scalar(query) or 0


def _grants(granted: ColumnElement[str] | InstrumentedAttribute[str], purpose: str) -> Condition:
    return granted.contains(f" {purpose} ", autoescape=True)


def _granting(
    session: Session, notices: Sequence[int], purpose: str, action: Action | None, within: Sequence[Condition]
) -> Iterator[Scan]:
    """Scans of the records under these notices, which all name the purpose, that granted it."""
    if action in (None, Action.ACCEPT_ALL):
        yield from _accepting(session, notices, within)
    for choice in (Action.SAVE, Action.GPC):
        if action in (None, choice):
            yield from _choosing(session, notices, purpose, choice, within)


def _accepting(session: Session, notices: Sequence[int], within: Sequence[Condition]) -> Iterator[Scan]:
    accepted = DecisionRow.action == Action.ACCEPT_ALL.value
    newest = _newest(DecisionRow.notice_id == NoticeRow.id, accepted, *within)
    for notice_id, at in session.execute(select(NoticeRow.id, newest).where(NoticeRow.id.in_(notices))):
        if at is not None:
            yield Scan(_scan(DecisionRow.notice_id == notice_id, accepted, *within), at)


def _choosing(
    session: Session, notices: Sequence[int], purpose: str, action: Action, within: Sequence[Condition]
) -> Iterator[Scan]:
    """A scan of each combination of grants that holds the purpose: few are ever made, however many choose them."""

    def own(notice_id: ColumnElement[int] | InstrumentedAttribute[int] | int) -> list[Condition]:
        return [DecisionRow.notice_id == notice_id, DecisionRow.action == action.value, is_choice]

    def following(notice_id: Any, granted: Any) -> ScalarSelect[str]:
        query = select(granted_start).where(*own(notice_id), granted_start > granted)
        return query.order_by(granted_start).limit(1).scalar_subquery()

    # From each combination a leap to the next one in the index, not a walk over all records.
    first = select(NoticeRow.id.label("notice"), following(NoticeRow.id, "").label("granted"))
    sets = first.where(NoticeRow.id.in_(notices)).cte("sets", recursive=True)
    sets = sets.union_all(
        select(sets.c.notice, following(sets.c.notice, sets.c.granted)).where(sets.c.granted.is_not(None))
    )
    cut = func.length(sets.c.granted) >= INDEXED
    newest = _newest(*own(sets.c.notice), granted_start == sets.c.granted, *within)
    query = select(sets.c.notice, sets.c.granted, newest).where(or_(_grants(sets.c.granted, purpose), cut))
    for notice_id, granted, at in session.execute(query):
        if at is not None:
            chosen = [*own(notice_id), granted_start == granted, *within]
            chosen += [_grants(DecisionRow.granted, purpose)] if len(granted) >= INDEXED else []
            yield Scan(_scan(*chosen), at)


def _records(session: Session, ids: Sequence[int]) -> list[FoundRecord]:
    found = session.execute(
        select(DecisionRow, NoticeRow.hash, LeafRow.leaf_index)
        .join(NoticeRow, NoticeRow.id == DecisionRow.notice_id)
        .outerjoin(LeafRow, LeafRow.decision_row == DecisionRow.id)
        .where(DecisionRow.id.in_(ids))
    ).all()
    records = decisions.opened(session, [row for row, _, _ in found])
    by_id = {
        record.id: FoundRecord(record, notice, leaf_index)
        for record, (_, notice, leaf_index) in zip(records, found, strict=True)
    }
    return [by_id[row_id] for row_id in ids if row_id in by_id]


def beside(session: Session, row: Record) -> FoundRecord:
    """A record with what lists say beside it."""
    query = select(NoticeRow.hash, LeafRow.leaf_index).outerjoin(LeafRow, LeafRow.decision_row == row.id)
    notice, leaf_index = session.execute(query.where(NoticeRow.id == row.notice_id)).one()
    return FoundRecord(row, notice, leaf_index)


def leaf(session: Session, site_id: int, index: int) -> tuple[LeafRow | None, FoundRecord | None]:
    """A leaf of a ledger with its record, if they still stand."""
    row = session.get(LeafRow, (site_id, index))
    records = _records(session, [row.decision_row]) if row and row.decision_row else []
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
    """Numbers that must fit together when nothing is missing; `waiting` are the records without a leaf yet."""

    leaves: int
    highest: int | None
    of_records: int
    removed: int
    records: int
    waiting: int


def counts(session: Session, site_id: int, first: int, decisions_to: int) -> Counts:
    """Count the leaves of a site from `first` on, and the records and removals that belong to them."""
    inside = (LeafRow.site_id == site_id, LeafRow.leaf_index >= first)
    leaves, highest = session.execute(select(func.count(), func.max(LeafRow.leaf_index)).where(*inside)).one()
    # Few leaves are removals. The sums hide the other columns from the planner: the removal is the index.
    of_removals = _count(
        session, LeafRow.removal_id.is_not(None), LeafRow.site_id + 0 == site_id, LeafRow.leaf_index + 0 >= first
    )
    start = case((RemovedRow.first < first, first), else_=RemovedRow.first)
    removed = select(func.sum(RemovedRow.last - start + 1)).where(
        RemovedRow.site_id == site_id, RemovedRow.last >= first
    )
    sealed = [DecisionRow.site_id == site_id, DecisionRow.id <= decisions_to]
    if first:
        # Leaves stand in the order of their records' ids.
        oldest = select(LeafRow.decision_row).where(*inside, LeafRow.decision_row.is_not(None))
        sealed.append(DecisionRow.id >= oldest.order_by(LeafRow.leaf_index).limit(1).scalar_subquery())
    return Counts(
        leaves=leaves,
        highest=highest,
        of_records=leaves - of_removals,
        removed=int(session.scalar(removed) or 0),
        records=_count(session, *sealed),
        waiting=_count(session, DecisionRow.site_id == site_id, DecisionRow.id > decisions_to),
    )


def _count(session: Session, *where: Condition) -> int:
    return session.scalar(select(func.count()).where(*where)) or 0


def newest_times(session: Session, site_id: int, limit: int) -> list[tuple[int, datetime]]:
    """Row id and time of the newest records, in the order in which they were stored, newest first."""
    query = select(DecisionRow.id, DecisionRow.recorded_at).where(DecisionRow.site_id == site_id)
    return [(row_id, at) for row_id, at in session.execute(query.order_by(DecisionRow.id.desc()).limit(limit))]


def newest_checkpoints(session: Session, site_id: int, limit: int) -> Sequence[CheckpointRow]:
    """The newest checkpoints of a ledger, newest first."""
    query = select(CheckpointRow).where(CheckpointRow.site_id == site_id).order_by(CheckpointRow.size.desc())
    return session.scalars(query.limit(limit)).all()


def first_covering(session: Session, site_id: int, leaf_index: int) -> CheckpointRow | None:
    """The checkpoint by which a leaf stood in the ledger."""
    query = select(CheckpointRow).where(CheckpointRow.site_id == site_id, CheckpointRow.size > leaf_index)
    return session.scalar(query.order_by(CheckpointRow.size).limit(1))


def first_cosigners(session: Session, site_id: int, leaf_index: int) -> list[tuple[str, datetime]]:
    """Who cosigned the first cosigned checkpoint that covers a leaf, and when, earliest first."""
    covering = (CosignatureRow.site_id == site_id, CosignatureRow.size > leaf_index)
    size = select(CosignatureRow.size).where(*covering).order_by(CosignatureRow.size).limit(1).scalar_subquery()
    query = select(CosignatureRow.witness, CosignatureRow.cosigned_at).where(covering[0], CosignatureRow.size == size)
    return [(witness, at) for witness, at in session.execute(query.order_by(CosignatureRow.cosigned_at))]


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
