"""Timestamps of checkpoints, notices and widget code; what has none yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.core.errors import UnknownTimestamp
from consent_server.ledger import store as ledgers
from consent_server.ledger.rows import TimestampRow
from consent_server.sites.rows import LedgerRow, NoticeRow, WidgetRow

Kind = Literal["checkpoint", "notice", "widget"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be stamped: `content` is a note as stored, a notice's RFC 8785 bytes or archived code."""

    kind: Kind
    site_id: int | None
    size: int | None
    content: bytes


def due_checkpoints(session: Session, site_id: int | None, before: datetime | None) -> Iterator[Subject]:
    """The newest checkpoint of each ledger, or of one site's, unless its last timestamp is younger than a time.

    Without a time every newest checkpoint that has no timestamp is due.
    """
    for ledger in list(session.scalars(select(LedgerRow.site_id).order_by(LedgerRow.site_id))):
        newest = ledgers.newest_checkpoint(session, ledger) if site_id in (None, ledger) else None
        last = _last_of_ledger(session, ledger)
        if newest and (last is None or ((last.size or 0) < newest.size and _is_over(last, before))):
            yield Subject("checkpoint", ledger, newest.size, newest.note.encode())


def unstamped_notices(session: Session, site_id: int | None) -> Iterator[Subject]:
    """Notices of all sites, or of one, that have no timestamp, oldest first."""
    stamped = _digests(session, "notice")
    rows = select(NoticeRow.id, NoticeRow.hash).order_by(NoticeRow.id)
    for row_id, notice_hash in session.execute(rows if site_id is None else rows.where(NoticeRow.site_id == site_id)):
        if notice_hash not in stamped:
            row = session.get_one(NoticeRow, row_id)
            yield Subject("notice", row.site_id, None, row.body)


def unstamped_widgets(session: Session) -> Iterator[Subject]:
    """Archived code that has no timestamp, oldest first."""
    stamped = _digests(session, "widget")
    for widget_hash in session.scalars(select(WidgetRow.hash).order_by(WidgetRow.created_at, WidgetRow.hash)):
        if widget_hash not in stamped:
            yield Subject("widget", None, None, session.get_one(WidgetRow, widget_hash).code.encode())


def add(session: Session, subject: Subject, digest: bytes, reply: bytes, at: datetime) -> None:
    """Keep an authority's answer. When another process was quicker its answer stays."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {
        "site_id": subject.site_id,
        "kind": subject.kind,
        "size": subject.size,
        "digest": digest,
        "reply": reply,
        "stamped_at": at,
    }
    session.execute(insert(TimestampRow).values(row).on_conflict_do_nothing())


def of_site(session: Session, site_id: int) -> Iterator[TimestampRow]:
    """All that concern a site, those of widget code included, oldest first, a few at a time."""
    query = select(TimestampRow).where(_concerns(site_id)).order_by(TimestampRow.id)
    yield from session.scalars(query.execution_options(yield_per=500))


def newest(session: Session, site_id: int, before: int | None, limit: int) -> Sequence[TimestampRow]:
    """Those that concern a site, newest first, before a row id."""
    query = select(TimestampRow).where(_concerns(site_id)).order_by(TimestampRow.id.desc()).limit(limit)
    return session.scalars(query if before is None else query.where(TimestampRow.id < before)).all()


def get(session: Session, site_id: int, digest: bytes) -> TimestampRow:
    """The timestamp of a SHA-256 that concerns a site. Raises UnknownTimestamp."""
    row = session.scalar(select(TimestampRow).where(TimestampRow.digest == digest, _concerns(site_id)))
    if row is None:
        raise UnknownTimestamp("Nothing with this SHA-256 has a timestamp here.")
    return row


def time_of(session: Session, digest: str) -> datetime | None:
    """When an authority saw what has this SHA-256 (hex); None without a timestamp."""
    return session.scalar(select(TimestampRow.stamped_at).where(TimestampRow.digest == bytes.fromhex(digest)))


def _last_of_ledger(session: Session, site_id: int) -> TimestampRow | None:
    of_ledger = (TimestampRow.site_id == site_id, TimestampRow.kind == "checkpoint")
    return session.scalar(select(TimestampRow).where(*of_ledger).order_by(TimestampRow.id.desc()).limit(1))


def _is_over(last: TimestampRow, before: datetime | None) -> bool:
    return before is None or last.stamped_at <= before


def _concerns(site_id: int) -> ColumnElement[bool]:
    return or_(TimestampRow.site_id == site_id, TimestampRow.site_id.is_(None))


def _digests(session: Session, kind: Kind) -> set[str]:
    return {digest.hex() for digest in session.scalars(select(TimestampRow.digest).where(TimestampRow.kind == kind))}
