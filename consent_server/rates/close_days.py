"""Keep of days that are over what is told of them, and nothing else."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from consent_server.core.database import Database, Session
from consent_server.core.times import local_day
from consent_server.decisions import store_tallies as tallies
from consent_server.rates import store as told
from consent_server.rates.read_notices import NoticeReader
from consent_server.rates.rules_noise import draw
from consent_server.rates.rules_report import Asked
from consent_server.sites import store as sites
from consent_server.sites import store_notices as notices

# What was under way at the end of a day is counted by then.
SETTLED = timedelta(minutes=5)
# No site's clock is ahead of UTC by more.
MOST_AHEAD = timedelta(hours=14)


def close_days(database: Database, random: Callable[[int], bytes], now: datetime) -> int:
    """Return how many days of sites were closed, each in one transaction. Two at once take turns."""
    settled = now - SETTLED
    with database.reading() as session:
        days = told.open_days(session, (settled + MOST_AHEAD).date().isoformat())
        today = _today(session, {site_id for site_id, _ in days}, settled)
        over = [place for place in days if place[1] < today[place[0]]]
        asked = {site_id: _asked(session, site_id) for site_id in {site_id for site_id, _ in over}}
    for site_id, day in over:
        with database.transaction() as session:
            told.close(session, site_id, day, asked[site_id], partial(draw, random))
    return len(over)


def _asked(session: Session, site_id: int) -> dict[int, Asked]:
    """What each notice of a site asks for, by its row id."""
    hashes = notices.hashes(session, site_id)
    known = NoticeReader().asked(session, site_id, hashes)
    return {notice_id: known[notice_hash] for notice_id, notice_hash in hashes.items()}


def _today(session: Session, site_ids: Iterable[int], now: datetime) -> dict[int, str]:
    """By site, the first day that is not over: the one that goes on, or of which something waits in the inbox."""
    waiting = tallies.waiting_since(session)
    zones = {site_id: sites.by_id(session, site_id).site.time_zone for site_id in site_ids}
    return {
        site_id: min(local_day(now, zone).isoformat(), waiting.get(site_id, "9")[:10])
        for site_id, zone in zones.items()
    }
