"""Counters of refused posts: a few rows a site and day, and a sum for each reason that only grows."""

from collections import Counter
from datetime import date, timedelta

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from consent_server.core.rows import SiteRow
from consent_server.decisions.rows import RefusedRow
from consent_server.decisions.rules_refused import OTHERS, Refused, rarest
from consent_server.decisions.store_tallies import upsert

REFUSED: Table = RefusedRow.__table__  # type: ignore[assignment]
KEY = ("site_id", "day", "reason", "origin")
# The day of the sums.
EVER = ""
KEPT_DAYS = 30


def add(session: Session, site_id: int, day: date, counts: Counter[tuple[str, str]]) -> None:
    """Add to a site's day, by reason and origin, and drop what is old or rare, so that the table cannot grow."""
    by_reason: Counter[str] = Counter()
    for (reason, _), posts in counts.items():
        by_reason[reason] += posts
    # One row of the site first and always: whoever adds to the same site waits here, and folds nothing twice.
    _add(session, site_id, EVER, Counter({("", ""): counts.total()}))
    _add(session, site_id, EVER, Counter({(reason, ""): posts for reason, posts in by_reason.items()}))
    _add(session, site_id, day.isoformat(), counts)
    gone, sums = rarest(_of_day(session, site_id, day.isoformat()))
    for reason, origin in gone:
        place = (REFUSED.c.reason == reason, REFUSED.c.origin == origin)
        session.execute(delete(REFUSED).where(REFUSED.c.site_id == site_id, REFUSED.c.day == day.isoformat(), *place))
    _add(session, site_id, day.isoformat(), Counter({(reason, OTHERS): posts for reason, posts in sums.items()}))
    oldest = (day - timedelta(days=KEPT_DAYS)).isoformat()
    session.execute(delete(REFUSED).where(REFUSED.c.site_id == site_id, REFUSED.c.day != EVER, REFUSED.c.day < oldest))


def since(session: Session, site_id: int, day: date) -> list[Refused]:
    """What was refused from a day on, the most frequent first."""
    query = select(REFUSED.c.reason, REFUSED.c.origin, REFUSED.c["count"]).where(
        REFUSED.c.site_id == site_id, REFUSED.c.day >= day.isoformat()
    )
    sums: Counter[tuple[str, str]] = Counter()
    for reason, origin, posts in session.execute(query):
        sums[reason, origin] += posts
    return [Refused(*key, posts) for key, posts in sorted(sums.items(), key=lambda item: (-item[1], item[0]))]


def ever(session: Session) -> list[tuple[str, str, int]]:
    """Site, reason, and how many posts were refused for it since the first."""
    query = select(SiteRow.key, REFUSED.c.reason, REFUSED.c["count"]).join(SiteRow, SiteRow.id == REFUSED.c.site_id)
    query = query.where(REFUSED.c.day == EVER, REFUSED.c.reason != "").order_by(SiteRow.key, REFUSED.c.reason)
    return [(site, reason, posts) for site, reason, posts in session.execute(query)]


def _of_day(session: Session, site_id: int, day: str) -> dict[tuple[str, str], int]:
    query = select(REFUSED.c.reason, REFUSED.c.origin, REFUSED.c["count"])
    rows = session.execute(query.where(REFUSED.c.site_id == site_id, REFUSED.c.day == day))
    return {(reason, origin): posts for reason, origin, posts in rows}


def _add(session: Session, site_id: int, day: str, counts: Counter[tuple[str, str]]) -> None:
    rows = [
        {"site_id": site_id, "day": day, "reason": reason, "origin": origin, "count": posts}
        for (reason, origin), posts in sorted(counts.items())
    ]
    if rows:
        upsert(session, REFUSED, KEY, rows)
