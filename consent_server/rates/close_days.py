"""Merge what was too small to be told of days that are over, so that it is kept nowhere."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from consent_server.core.database import Database, Session
from consent_server.core.times import local_day
from consent_server.decisions import store_tallies as tallies
from consent_server.rates import store as splits
from consent_server.sites import store as sites

# What was under way at the end of a day is counted by then.
SETTLED = timedelta(minutes=5)


# No site's clock is ahead of UTC by more.
MOST_AHEAD = timedelta(hours=14)


def close_days(database: Database, now: datetime) -> int:
    """Return how many days were closed, those by language and by country each. Two at once share the work."""
    settled = now - SETTLED
    with database.reading() as session:
        days = splits.open_days(session, (settled + MOST_AHEAD).date().isoformat())
        today = _today(session, {site_id for site_id, _, _ in days}, settled)
    over = [(site_id, dimension, day) for site_id, dimension, day in days if day < today[site_id]]
    for site_id, dimension, day in over:
        with database.transaction() as session:
            splits.close(session, site_id, dimension, day)
    return len(over)


def _today(session: Session, site_ids: Iterable[int], now: datetime) -> dict[int, str]:
    """By site, the first day that is not over: the one that goes on, or of which something waits in the inbox."""
    waiting = tallies.waiting_since(session)
    zones = {site_id: sites.by_id(session, site_id).site.time_zone for site_id in site_ids}
    return {
        site_id: min(local_day(now, zone).isoformat(), waiting.get(site_id, "9")[:10])
        for site_id, zone in zones.items()
    }
