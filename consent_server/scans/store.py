"""Scans that a server keeps of its own sites."""

from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from consent_server.core.rows import SiteRow
from consent_server.scans.rows import ScanRow
from consent_server.scans.rules_kept import KEPT, LOST_AFTER, PICTURED, AskedScan, KeptScan


def ask(session: Session, site_id: int, url: str, who: str | None, now: datetime) -> int | None:
    """Have a scan made; None where one of the site is still to be made."""
    waiting = select(ScanRow.id).where(ScanRow.site_id == site_id, ScanRow.finished_at.is_(None))
    if session.scalar(waiting) is not None:
        return None
    row = ScanRow(site_id=site_id, url=url, who=who, asked_at=now)
    session.add(row)
    session.flush()
    return row.id


def is_waiting(session: Session) -> bool:
    """Whether any is still to be made."""
    return session.scalar(select(ScanRow.id).where(ScanRow.finished_at.is_(None)).limit(1)) is not None


def take(session: Session, now: datetime) -> AskedScan | None:
    """The one that waits longest, which is begun with that; one that another server never ended is begun again."""
    free = or_(ScanRow.started_at.is_(None), ScanRow.started_at < now - LOST_AFTER)
    query = select(ScanRow, SiteRow.key).join(SiteRow, SiteRow.id == ScanRow.site_id)
    found = session.execute(query.where(ScanRow.finished_at.is_(None), free).order_by(ScanRow.id).limit(1)).first()
    if found is None:
        return None
    row, key = found
    row.started_at = now
    return AskedScan(row.id, key, row.url)


def finish(session: Session, number: int, now: datetime, wrong: int, unseen: int, scan: str, pictures: str) -> None:
    """Keep what it saw, in place of what is too old."""
    row = session.get_one(ScanRow, number)
    row.finished_at, row.wrong, row.unseen, row.scan, row.pictures = now, wrong, unseen, scan, pictures
    _forget(session, row.site_id)


def fail(session: Session, number: int, now: datetime, why: str) -> None:
    """Keep why it saw nothing."""
    row = session.get_one(ScanRow, number)
    row.finished_at, row.failure = now, why
    _forget(session, row.site_id)


def _forget(session: Session, site_id: int) -> None:
    session.flush()
    newest = list(session.scalars(select(ScanRow.id).where(ScanRow.site_id == site_id).order_by(ScanRow.id.desc())))
    session.execute(delete(ScanRow).where(ScanRow.id.in_(newest[KEPT:])))
    session.execute(update(ScanRow).where(ScanRow.id.in_(newest[PICTURED:KEPT])).values(pictures=None))


def every(session: Session, site_id: int) -> list[KeptScan]:
    """All of a site, newest first."""
    rows = session.scalars(select(ScanRow).where(ScanRow.site_id == site_id).order_by(ScanRow.id.desc()))
    return [_kept(row) for row in rows]


def find(session: Session, site_id: int, number: int) -> tuple[KeptScan, str | None, str | None] | None:
    """One of a site, with its JSON and its pictures."""
    query = select(ScanRow).options(undefer(ScanRow.scan), undefer(ScanRow.pictures))
    row = session.scalar(query.where(ScanRow.site_id == site_id, ScanRow.id == number))
    return (_kept(row), row.scan, row.pictures) if row else None


def before(session: Session, site_id: int, number: int) -> tuple[KeptScan, str] | None:
    """The last one of the site before it that saw something."""
    query = select(ScanRow).options(undefer(ScanRow.scan)).where(ScanRow.site_id == site_id, ScanRow.id < number)
    row = session.scalar(query.where(ScanRow.scan.is_not(None)).order_by(ScanRow.id.desc()).limit(1))
    return (_kept(row), row.scan) if row and row.scan else None


def last(session: Session, site_id: int) -> KeptScan | None:
    """The newest of a site that has ended."""
    query = select(ScanRow).where(ScanRow.site_id == site_id, ScanRow.finished_at.is_not(None))
    row = session.scalar(query.order_by(ScanRow.id.desc()).limit(1))
    return _kept(row) if row else None


def last_asked(session: Session) -> dict[int, tuple[datetime, str]]:
    """When each site's newest was asked for, and where it began."""
    newest = select(func.max(ScanRow.id)).group_by(ScanRow.site_id)
    rows = session.scalars(select(ScanRow).where(ScanRow.id.in_(newest)))
    return {row.site_id: (row.asked_at, row.url) for row in rows}


def _kept(row: ScanRow) -> KeptScan:
    return KeptScan(
        row.id, row.url, row.who, row.asked_at, row.started_at, row.finished_at, row.failure, row.wrong or 0,
        row.unseen or 0,
    )  # fmt: skip
