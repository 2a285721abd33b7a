"""Merge what was too small to be told of days that are over, so that it is kept nowhere."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from consent_server.core.database import Database
from consent_server.rates import store as splits
from consent_server.sites import store as sites

# What was under way at the end of a day is counted by then.
SETTLED = timedelta(minutes=5)


def close_days(database: Database, now: datetime) -> int:
    """Return how many days were closed, those by language and by country each. Two at once share the work."""
    with database.reading() as session:
        found = [
            (stored.id, *one)
            for stored in sites.every(session)
            for one in splits.open_days(session, stored.id, _today(stored.site.time_zone, now))
        ]
    for site_id, dimension, day in found:
        with database.transaction() as session:
            splits.close(session, site_id, dimension, day)
    return len(found)


def _today(time_zone: str, now: datetime) -> str:
    return (now - SETTLED).astimezone(ZoneInfo(time_zone)).date().isoformat()
