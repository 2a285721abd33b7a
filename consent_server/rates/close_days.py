"""Merge what was too small to be told of days that are over, so that it is kept nowhere."""

from datetime import datetime, timedelta

from consent_server.core.database import Database
from consent_server.core.times import local_day
from consent_server.rates import store as splits
from consent_server.sites import store as sites

# What was under way at the end of a day is counted by then.
SETTLED = timedelta(minutes=5)


def close_days(database: Database, now: datetime) -> int:
    """Return how many days were closed, those by language and by country each. Two at once share the work."""
    with database.reading() as session:
        over = [
            (stored.id, dimension, day)
            for stored in sites.every(session)
            for dimension, day in splits.open_days(
                session, stored.id, local_day(now - SETTLED, stored.site.time_zone).isoformat()
            )
        ]
    for site_id, dimension, day in over:
        with database.transaction() as session:
            splits.close(session, site_id, dimension, day)
    return len(over)
