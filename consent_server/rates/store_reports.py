"""Reports that were shared: who has a link is not known, only that there is one."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.core.rows import SiteRow
from consent_server.rates.rows import SharedReportRow


def add(session: Session, site_id: int, who: str, now: datetime, until: datetime) -> int:
    """Write down that a report is shared; return its number."""
    row = SharedReportRow(site_id=site_id, who=who, shared_at=now, until=until, revoked_at=None)
    session.add(row)
    session.flush()
    return row.id


def get(session: Session, number: int) -> SharedReportRow | None:
    """A shared report by its number."""
    return session.get(SharedReportRow, number)


def shared(session: Session, now: datetime) -> Sequence[tuple[SharedReportRow, str]]:
    """Those that can still be opened, oldest first, with the key of each one's site."""
    query = select(SharedReportRow, SiteRow.key).join(SiteRow, SiteRow.id == SharedReportRow.site_id)
    open_ones = query.where(SharedReportRow.until >= now, SharedReportRow.revoked_at.is_(None))
    return [(row, key) for row, key in session.execute(open_ones.order_by(SharedReportRow.id))]
