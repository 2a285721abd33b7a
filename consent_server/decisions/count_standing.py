"""About how many grants stand on a site, by its counters: nobody is looked up for it."""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from consent_server.core.database import Session
from consent_server.core.times import local_day
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.sites.rules_site import StoredSite

GRANTS = (CounterName(Measure.GRANTED), CounterName(Measure.GRANTED_AGAIN))
WITHDRAWALS = CounterName(Measure.WITHDRAWALS)


def count_standing(
    session: Session, stored: StoredSite, notices: Collection[int], days: int, now: Callable[[], datetime]
) -> int:
    """Answers that granted anything under these notices in the last so many days, less withdrawals since.

    About: what an erasure removed still counts, and so does a grant that its visitor's browser lost.
    """
    today = local_day(now(), stored.site.time_zone)
    ends = ((today - timedelta(days=days - 1)).isoformat(), (today + timedelta(days=1)).isoformat())
    over = tallies.kept(session, stored.id, tallies.DAYS, *ends, by=())
    counted = [*over, *tallies.read(session, stored.id, tallies.DAY, *ends)]
    sums = Counter[CounterName]()
    for one in counted:
        if one.notice_id in notices:
            sums.update(one.events)
    return max(sum(sums[counter] for counter in GRANTS) - sums[WITHDRAWALS], 0)
