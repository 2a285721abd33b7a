"""Counts as they are told: of days that are over, and of those that go on in steps.

When a day is over, `close` moves what was counted on it into dimensions of its own, with noise that is drawn once
(rules_closing.py), and keeps nothing of it besides. While it goes on its totals are told in steps: what stood when ten
more decisions came is told when another ten have come, so that no two answers lie closer, whenever they are asked.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from sqlalchemy import String, column, delete, func, select, values
from sqlalchemy.orm import Session

from consent_server.core.rows import SiteRow
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.rows import RollUpRow
from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.decisions.store_tallies import DAY, HOUR, PAGE, SELECTION
from consent_server.rates.rules_closing import Cells, Noise
from consent_server.rates.rules_report import Asked
from consent_server.rates.rules_small_cells import SMALLEST

DAYS, HOURS, SELECTIONS, PAGES, NOTICES = tallies.DAYS, "hours", "selections", "pages", "notices"
LANGUAGES, DEVICES, COUNTRIES = "languages", "devices", "countries"
# Of days that go on: the totals that are told, and those that are told next.
TODAY, NEXT = "today", "next"
# Each dimension of days that go on, and the one that is told once they are over.
CLOSED = {
    DAY: DAYS, SELECTION: SELECTIONS, HOUR: HOURS, PAGE: PAGES,
    tallies.LANGUAGE: LANGUAGES, tallies.DEVICE: DEVICES, tallies.COUNTRY: COUNTRIES,
}  # fmt: skip
_DECISIONS = CounterName(Measure.DECISIONS)


# By notice, what was counted on a day.
Units = dict[int, Counter[tuple[str, CounterName]]]


def counted_apart_from(session: Session, site_id: int) -> str | None:
    """The first day of which visitors who are asked again are counted apart; None where they always were."""
    return session.scalar(select(SiteRow.counted_apart_from).where(SiteRow.id == site_id))


def open_days(session: Session, before: str) -> list[tuple[int, str]]:
    """Site and day of all before that day that are to be closed; in order."""
    dimensions = values(column("dimension", String)).data([(dimension,) for dimension in CLOSED]).cte("dimensions")
    days = (
        select(RollUpRow.site_id, func.substr(RollUpRow.period, 1, 10))
        .join(SiteRow, SiteRow.id == RollUpRow.site_id)
        .join(dimensions, dimensions.c.dimension == RollUpRow.dimension)
        .where(RollUpRow.period < before)
        .distinct()
    )
    return sorted((site_id, day) for site_id, day in session.execute(days))


def close(session: Session, site_id: int, day: str, asked: Mapping[int, Asked], draw: Callable[[], int]) -> None:
    """Keep of a day what is told of it, for ever. What is counted on it later is added by itself.

    `asked` has what each notice asks for, by its row id.
    """
    _take_turns(session, site_id)
    noise = Noise(draw)
    for dimension, closed in CLOSED.items():
        units: Units = {}
        for period, value, notice_id, events in tallies.take(session, site_id, dimension, day):
            part = period if dimension == HOUR else value
            units.setdefault(notice_id, Counter()).update({(part, counter): count for counter, count in events.items()})
        kept = {notice_id: _told(dimension, noise, cells, asked[notice_id]) for notice_id, cells in units.items()}
        _keep(session, site_id, closed, day, kept)
        if closed == DAYS:
            # Of one notice alone the whole has told all.
            apart = {notice_id: noise.totals(cells) for notice_id, cells in kept.items()} if len(kept) > 1 else kept
            _keep(session, site_id, NOTICES, day, apart)
    for steps in (TODAY, NEXT):
        tallies.take(session, site_id, steps, day)


def take_step(session: Session, site_id: int) -> None:
    """Tell of days that go on what stood a step ago, under each notice of which there are enough new decisions."""
    _take_turns(session, site_id)
    counted, waiting = _units(session, site_id, DAY), _units(session, site_id, NEXT)
    for place, cells in counted.items():
        before = waiting.get(place, Counter())
        if cells["", _DECISIONS] >= before["", _DECISIONS] + SMALLEST:
            day, notice_id = place
            for steps, now in ((TODAY, before), (NEXT, cells)):
                of_notice = (RollUpRow.period == day, RollUpRow.notice_id == notice_id)
                here = (RollUpRow.site_id == site_id, RollUpRow.dimension == steps)
                session.execute(delete(RollUpRow).where(*here, *of_notice))
                _add_up(session, site_id, steps, day, {notice_id: now})


def steps_due(session: Session) -> list[int]:
    """The sites of which a day that goes on has enough new decisions under a notice."""
    dimensions = values(column("dimension", String)).data([(DAY,), (NEXT,)]).cte("dimensions")
    counted = (
        select(RollUpRow.site_id, RollUpRow.dimension, RollUpRow.period, RollUpRow.notice_id, RollUpRow.count)
        .join(SiteRow, SiteRow.id == RollUpRow.site_id)
        .join(dimensions, dimensions.c.dimension == RollUpRow.dimension)
        .where(RollUpRow.counter == _DECISIONS.text)
    )
    new: Counter[tuple[int, str, int]] = Counter()
    for site_id, dimension, day, notice_id, events in session.execute(counted):
        new[site_id, day, notice_id] += events if dimension == DAY else -events
    return sorted({site_id for (site_id, _, _), events in new.items() if events >= SMALLEST})


def is_over(session: Session, site_id: int, day: str) -> bool:
    """Whether all that was counted up to that day is told."""
    waiting = tallies.waiting_since(session).get(site_id, "9")[:10] <= day
    place = (RollUpRow.site_id == site_id, RollUpRow.dimension.in_((DAY, SELECTION)), RollUpRow.period <= day)
    return not waiting and session.scalar(select(func.count()).where(*place)) == 0


def _told(dimension: str, noise: Noise, cells: Cells, asked: Asked) -> Cells:
    if dimension == DAY:
        return cells
    if dimension == HOUR:
        return noise.hours(cells)
    if dimension == SELECTION:
        return noise.selection(cells, asked)
    return noise.page_loads(cells, asked) if dimension == PAGE else noise.split(cells, asked)


def _keep(session: Session, site_id: int, dimension: str, day: str, told: Mapping[int, Cells]) -> None:
    _add_up(session, site_id, dimension, day, told)
    if dimension in tallies.MONTHS:
        _add_up(session, site_id, tallies.MONTHS[dimension], day[:7], told)


def _add_up(session: Session, site_id: int, dimension: str, period: str, told: Mapping[int, Cells]) -> None:
    """The first of a place is its value, but of hours, which are periods."""
    sums = {}
    for notice_id, cells in told.items():
        for (part, counter), events in cells.items():
            place = (part, "") if dimension == HOURS else (period, part)
            if events:
                sums[site_id, dimension, *place, notice_id, counter] = events
    tallies.add_up(session, sums)


def _units(session: Session, site_id: int, dimension: str) -> dict[tuple[str, int], Counter[tuple[str, CounterName]]]:
    """By day and notice what stands there, of all days."""
    units: dict[tuple[str, int], Counter[tuple[str, CounterName]]] = {}
    for period, value, notice_id, events in tallies.kept(session, site_id, dimension, "", "9999-12-31"):
        cells = {(value, counter): count for counter, count in events.items()}
        units.setdefault((period, notice_id), Counter()).update(cells)
    return units


def _take_turns(session: Session, site_id: int) -> None:
    # Two that close a day, or tell of it, would each draw noise on a part. Visitors' records wait for nobody here.
    session.execute(select(SiteRow.id).where(SiteRow.id == site_id).with_for_update(key_share=True))
