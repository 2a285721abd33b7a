"""Counts by language and country, without what is too small to be told.

Small values are merged on each day under each notice by itself. While a day goes on, that is done in reading. Once
it is over, `close` does it in the table, for ever: then nobody can read there what no answer tells.
"""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import String, column, select, values
from sqlalchemy.orm import Session

from consent_server.core.rows import SiteRow
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.rows import RollUpRow
from consent_server.decisions.rules_tally import CounterName
from consent_server.decisions.store_tallies import RollUp
from consent_server.rates.rules_small_cells import merge_small

# Each guarded dimension, and the one that has its closed days.
CLOSED = {"language": "languages", "country": "countries"}


def read(session: Session, site_id: int, dimension: str, first: str, end: str) -> list[RollUp]:
    """Counts by value and notice in days first (included) to end (excluded). Ask within one snapshot."""
    merged = _merged(tallies.read(session, site_id, dimension, first, end))
    for closed in tallies.kept(session, site_id, CLOSED[dimension], first, end, by=("value",)):
        merged[closed.value, closed.notice_id, closed.counter] += closed.events
    return [RollUp("", *place, events) for place, events in sorted(merged.items())]


def counted_apart_from(session: Session, site_id: int) -> str | None:
    """The first day of which visitors who are asked again are counted apart; None where they always were."""
    return session.scalar(select(SiteRow.counted_apart_from).where(SiteRow.id == site_id))


def open_days(session: Session, before: str) -> list[tuple[int, str, str]]:
    """Site, dimension and day of all before that day that are to be closed; in order."""
    dimensions = values(column("dimension", String)).data([(dimension,) for dimension in CLOSED]).cte("dimensions")
    days = (
        select(RollUpRow.site_id, RollUpRow.dimension, RollUpRow.period)
        .join(SiteRow, SiteRow.id == RollUpRow.site_id)
        .join(dimensions, dimensions.c.dimension == RollUpRow.dimension)
        .where(RollUpRow.period < before)
        .distinct()
    )
    return sorted((site_id, dimension, day) for site_id, dimension, day in session.execute(days))


def close(session: Session, site_id: int, dimension: str, day: str) -> None:
    """Merge the small values of a day for ever. What is counted on it later is merged by itself."""
    merged = _merged(tallies.take(session, site_id, dimension, day))
    closed = CLOSED[dimension]
    for kept_as, period in ((closed, day), (tallies.MONTHS[closed], day[:7])):
        tallies.add_up(session, {(site_id, kept_as, period, *place): events for place, events in merged.items()})


def _merged(rolled_up: Iterable[RollUp]) -> Counter[tuple[str, int, CounterName]]:
    """By value, notice and counter, where small values of a day under a notice are merged."""
    units: dict[tuple[str, int], Counter[tuple[str, CounterName]]] = {}
    for period, value, notice_id, counter, events in rolled_up:
        units.setdefault((period, notice_id), Counter())[value, counter] += events
    merged: Counter[tuple[str, int, CounterName]] = Counter()
    for (_, notice_id), cells in units.items():
        for (value, counter), events in merge_small(cells).items():
            merged[value, notice_id, counter] += events
    return merged
