"""Counts by language and country, without what is too small to be told.

Small values are merged on each day under each notice by itself. While a day goes on, that is done in reading. Once
it is over, `close` does it in the table, for ever: then nobody can read there what no answer tells.
"""

from collections import Counter

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.rows import RollUpRow, TallyRow
from consent_server.decisions.store_tallies import Count
from consent_server.rates.rules_small_cells import merge_small

# Each guarded dimension, and the one that has its closed days.
CLOSED = {"language": "languages", "country": "countries"}


def read(session: Session, site_id: int, dimension: str, first: str, end: str) -> list[Count]:
    """Counts by value and notice in days first (included) to end (excluded). Ask within one snapshot."""
    sums: Counter[tuple[str, int, str]] = Counter()
    for one in tallies.kept(session, site_id, CLOSED[dimension], first, end, by=("value",)):
        sums[one.value, one.notice_id, one.counter] += one.events
    units: dict[tuple[str, int], Counter[tuple[str, str]]] = {}
    for one in tallies.read(session, site_id, dimension, first, end):
        units.setdefault((one.period, one.notice_id), Counter())[one.value, one.counter] += one.events
    for (_, notice_id), cells in units.items():
        for (value, counter), count in merge_small(cells).items():
            sums[value, notice_id, counter] += count
    return [Count("", *key, count) for key, count in sorted(sums.items())]


def open_days(session: Session, site_id: int, before: str) -> list[tuple[str, str]]:
    """Dimension and day of all before that day that are to be closed; none while events of before wait in the inbox."""
    if session.scalar(select(exists().where(TallyRow.site_id == site_id, TallyRow.hour < before))):
        return []
    days = (RollUpRow.site_id == site_id, RollUpRow.dimension.in_(CLOSED), RollUpRow.period < before)
    found = session.execute(select(RollUpRow.dimension, RollUpRow.period).where(*days).distinct())
    return sorted((dimension, day) for dimension, day in found)


def close(session: Session, site_id: int, dimension: str, day: str) -> None:
    """Merge the small values of a day for ever. What is counted on it later is merged by itself."""
    place = (RollUpRow.site_id == site_id, RollUpRow.dimension == dimension, RollUpRow.period == day)
    # Taken and deleted at once: what is added meanwhile stays for the next time, and two who close share nothing.
    taken = delete(RollUpRow).where(*place)
    columns = (RollUpRow.value, RollUpRow.notice_id, RollUpRow.counter, RollUpRow.count)
    units: dict[int, Counter[tuple[str, str]]] = {}
    for value, notice_id, counter, count in session.execute(taken.returning(*columns)):
        units.setdefault(notice_id, Counter())[value, counter] += count
    told = [
        (value, notice_id, counter, count)
        for notice_id, cells in units.items()
        for (value, counter), count in merge_small(cells).items()
    ]
    closed = CLOSED[dimension]
    for kept_as, period in ((closed, day), (tallies.MONTHS[closed], day[:7])):
        tallies.add_up(session, {(site_id, kept_as, period, *key): count for *key, count in told})
