"""The log of who looked at which records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from consent_server.access.rows import LookupRow
from consent_server.core.rows import SiteRow

TABLE: Table = LookupRow.__table__  # type: ignore[assignment]


def add(session: Session, site_id: int, who: str, what: str, subject: dict[str, Any], now: datetime) -> None:
    """Write a look-up down."""
    session.add(LookupRow(site_id=site_id, at=now, who=who, what=what, subject=subject))


def newest(
    session: Session, sites: frozenset[str] | None, before: int | None, limit: int
) -> Sequence[tuple[LookupRow, str]]:
    """Look-ups on these sites with the key of each, newest first, before a row id."""
    query = select(LookupRow, SiteRow.key).join(SiteRow, SiteRow.id == LookupRow.site_id)
    if sites is not None:
        query = query.where(SiteRow.key.in_(sites))
    if before is not None:
        query = query.where(LookupRow.id < before)
    return [(row, key) for row, key in session.execute(query.order_by(LookupRow.id.desc()).limit(limit))]


def subjects(session: Session, site_id: int, who: str, what: str, limit: int) -> Sequence[dict[str, Any]]:
    """What somebody's look-ups of a kind were about on a site, newest first."""
    own = (LookupRow.site_id == site_id, LookupRow.who == who, LookupRow.what == what)
    return session.scalars(select(LookupRow.subject).where(*own).order_by(LookupRow.id.desc()).limit(limit)).all()


def forget(session: Session, before: datetime) -> int:
    """Delete look-ups from before a time; return how many."""
    return session.connection().execute(delete(TABLE).where(TABLE.c.at < before)).rowcount
