"""Mails about weeks, and their way to the mail server."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.core.channels import wait
from consent_server.rates.rows import WeeklyMailRow
from consent_server.sites.rules_site import StoredSite
from consent_server.sites.store import by_id

MAILS: Table = WeeklyMailRow.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class DueWeek:
    """A week of a site to be told now, by an attempt that is counted already."""

    site: StoredSite
    week: str
    attempts: int
    due_since: datetime


def plan_once(session: Session, site_id: int, week: str, at: datetime) -> None:
    """Put the mail about a week on its way, once, whoever asks again."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values: dict[str, Any] = {"site_id": site_id, "week": week, "due_since": at, "attempts": 0, "next_try_at": at}
    session.execute(dialect.insert(MAILS).values(values).on_conflict_do_nothing())


def take_due(session: Session, now: datetime) -> DueWeek | None:
    """One that is due. The next attempt is set before anything is sent, as with alerts (store_alerts.py)."""
    query = select(WeeklyMailRow).where(WeeklyMailRow.next_try_at <= now).order_by(WeeklyMailRow.next_try_at)
    row = session.scalar(query.limit(1).with_for_update(skip_locked=True))
    if row is None:
        return None
    row.attempts += 1
    row.next_try_at = now + wait(row.attempts)
    session.flush()
    return DueWeek(by_id(session, row.site_id), row.week, row.attempts, row.due_since)


def delivered(session: Session, due: DueWeek, at: datetime) -> None:
    """It was taken: never again."""
    _settle(session, due, next_try_at=None, delivered_at=at, failure=None)


def failed(session: Session, due: DueWeek, failure: str, now: datetime, longest: timedelta) -> bool:
    """It was not taken; True where it is given up: the next attempt would be later than `longest` after the first."""
    over = now + wait(due.attempts) > due.due_since + longest
    _settle(session, due, failure=failure, **({"next_try_at": None} if over else {}))
    return over


def _settle(session: Session, due: DueWeek, **values: Any) -> None:
    own = (WeeklyMailRow.site_id == due.site.id, WeeklyMailRow.week == due.week, WeeklyMailRow.delivered_at.is_(None))
    session.execute(update(WeeklyMailRow).where(*own).values(**values))
