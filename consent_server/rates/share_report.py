"""Share a report by a link, and take one link back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent_server.access.credentials import ReportLinks
from consent_server.core.database import Database
from consent_server.core.errors import ExpiredReport, UnknownReport
from consent_server.rates import store_reports as reports


@dataclass(frozen=True, slots=True)
class SharedReport:
    """A report that whoever has its link can open."""

    number: int
    site: str
    who: str
    shared_at: datetime
    until: datetime


def share_report(
    database: Database, links: ReportLinks, site_id: int, who: str, subject: dict[str, Any], until: datetime,
    now: datetime,
) -> str:  # fmt: skip
    """The signed part of a link that opens this until then, or until it is taken back."""
    with database.transaction() as session:
        return links.sign({**subject, "number": reports.add(session, site_id, who, now, until)}, until)


def revoke_report(database: Database, number: int, now: datetime, site_id: int | None = None) -> None:
    """Make one link worthless, of this site where one is named. Raises UnknownReport."""
    with database.transaction() as session:
        row = reports.get(session, number)
        if row is None or site_id not in (None, row.site_id):
            raise UnknownReport(f"There is no shared report {number}. To list all of them: consent report list")
        row.revoked_at = row.revoked_at or now


def list_reports(database: Database, now: datetime) -> Sequence[SharedReport]:
    """Those that can still be opened, oldest first."""
    with database.reading() as session:
        return [
            SharedReport(row.id, key, row.who, row.shared_at, row.until) for row, key in reports.shared(session, now)
        ]


def require_shared(database: Database, number: int | None) -> None:
    """Raises ExpiredReport for a report that was taken back. Links of before have no number, and end by their time."""
    if number is None:
        return
    with database.reading() as session:
        row = reports.get(session, number)
    if row is None or row.revoked_at is not None:
        raise ExpiredReport("This report is no longer shared. Ask whoever sent it for a new link.")
