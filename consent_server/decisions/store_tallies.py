"""Counters of what happened, in two steps: an inbox that visitors write, and roll-ups that are read.

A visitor's request adds one to a cell of `tallies`; each process has a slot of its own, so that no two
processes wait for one row. `fold` moves the cells into `roll_ups`, which keeps the margins alone: totals by day and
by hour, what was granted by day, and all of it by day for each language, device and country. Which of these came
together, and what was granted together, is known for seconds only.

Each margin stands in a dimension of its own. Those named here are of days that go on: when a day is over it is moved
into those that are told (rates/store.py). PULSE alone stays as it is.
"""

import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import starmap
from typing import Any, NamedTuple

from sqlalchemy import JSON, BigInteger, Select, Table, cast, delete, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from consent_server.core.database import connection_of
from consent_server.core.driver_insert import DriverInsert
from consent_server.decisions.rows import RollUpRow, TallyRow
from consent_server.decisions.rules_tally import HOURLY, PAGE_LOADS, CounterName, Kind, Measure, counters_of, pulse_of

TALLIES: Table = TallyRow.__table__  # type: ignore[assignment]
ROLL_UPS: Table = RollUpRow.__table__  # type: ignore[assignment]
PULSE, HOUR, DAY, SELECTION, PAGE = "pulse", "hour", "day", "selection", "page"
LANGUAGE, DEVICE, COUNTRY = "language", "device", "country"
# Totals of days that are over.
DAYS = "days"
# Where days that are over are summed by month too: a year of them is more rows than a page can wait for.
MONTHS = {
    DAYS: "months", "selections": "selection months", "notices": "notice months", "languages": "language months",
    "devices": "device months", "countries": "country months",
}  # fmt: skip
# Up to this day of a month its begin lies nearer than its end.
HALF = 16
_OF_PAGES = tuple(PAGE_LOADS)
ROLL_UP_KEY = ("site_id", "dimension", "period", "value", "notice_id", "counter")

# So many that two processes hardly ever share one. If they do they take turns, and the counts stay exact.
SLOTS = 2**31


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """Where one event is counted: nothing in it tells one visitor from another.

    `hour` is the site's own clock ("2026-11-01T13"), `outcome` the text of an Outcome.
    """

    site_id: int
    notice_id: int
    hour: str
    language: str
    device: str
    country: str
    outcome: str

    def margins(self) -> Iterator[tuple[str, str, str]]:
        """Dimension, period and value of each roll-up that the cell adds to.

        Page loads are told by day alone: a sample cut into parts would say little, and of few.
        """
        day = self.hour[:10]
        if self.outcome.startswith(_OF_PAGES):
            yield PAGE, day, ""
            return
        yield PULSE, self.hour, ""
        yield HOUR, self.hour, ""
        yield DAY, day, ""
        yield SELECTION, day, ""
        yield LANGUAGE, day, self.language
        yield DEVICE, day, self.device
        yield COUNTRY, day, self.country


class RollUp(NamedTuple):
    """What the counters of one place stand at; `period` or `value` is empty where it was summed over."""

    period: str
    value: str
    notice_id: int
    events: Mapping[CounterName, int]


def add(session: Session, cells: Counter[Cell]) -> None:
    """Count events. Cells in a fixed order, so that two writers never wait for each other in a ring."""
    slot = _slot(os.getpid())
    rows = [
        {"slot": slot, **_columns(cell), "outcome_hash": sha256(cell.outcome.encode()).digest(), "count": count}
        for cell, count in sorted(cells.items())
    ]
    upsert(session, TALLIES, ("slot", *Cell.__slots__[:-1], "outcome_hash"), rows)


def waiting(session: Session) -> Sequence[int]:
    """The cells in the inbox, those of a site together: of its margins each is then added to once for many."""
    return session.scalars(select(TallyRow.id).order_by(TallyRow.site_id, TallyRow.id)).all()


def fold(session: Session, cells: Sequence[int]) -> int:
    """Move these cells from the inbox into the roll-ups; return how many went.

    Cells that a visitor's request holds are left for the next time: folding waits for nobody, and so
    never in a ring.
    """
    query = select(TallyRow).where(TallyRow.id.in_(cells)).order_by(TallyRow.id).with_for_update(skip_locked=True)
    taken = session.scalars(query).all()
    if taken:
        session.execute(delete(TallyRow).where(TallyRow.id.in_([row.id for row in taken])))
        add_up(session, rolled_up((_cell(row), row.count) for row in taken))
    return len(taken)


def add_up(session: Session, sums: Mapping[tuple[Any, ...], int]) -> None:
    """Add to roll-ups, by ROLL_UP_KEY, in a fixed order."""
    stored = sorted((*place, counter.text, count) for (*place, counter), count in sums.items())
    columns = (*ROLL_UP_KEY, "count")
    upsert(session, ROLL_UPS, ROLL_UP_KEY, [dict(zip(columns, values, strict=True)) for values in stored])


def rolled_up(cells: Iterable[tuple[Cell, int]]) -> Counter[tuple[int, str, str, str, int, CounterName]]:
    """What cells and their counts add to the roll-ups, by ROLL_UP_KEY."""
    sums: Counter[tuple[int, str, str, str, int, CounterName]] = Counter()
    for cell, count in cells:
        for dimension, period, value in cell.margins():
            for counter in _counters(dimension, cell.outcome):
                sums[cell.site_id, dimension, period, value, cell.notice_id, counter] += count
    return sums


def _counters(dimension: str, outcome: str) -> Iterable[CounterName]:
    """Those of an outcome that a dimension has."""
    counters = counters_of(outcome)
    if dimension == PULSE:
        return pulse_of(counters)
    if dimension == HOUR:
        return [counter for counter in counters if counter.measure in HOURLY]
    if dimension in (DAY, SELECTION):
        return [counter for counter in counters if bool(counter.key) is (dimension == SELECTION)]
    return counters


def waiting_since(session: Session) -> dict[int, str]:
    """By site, the first hour of which something is in the inbox."""
    rows = session.execute(select(TallyRow.site_id, func.min(TallyRow.hour)).group_by(TallyRow.site_id))
    return {site_id: hour for site_id, hour in rows}


def read(session: Session, site_id: int, dimension: str, first: str, end: str) -> list[RollUp]:
    """Counts of days that go on, or of PULSE, in periods first (included) to end (excluded), by value and notice.

    What is still in the inbox is in it: ask within one snapshot, and every event is there exactly once. It is for what
    the server looks at by itself: what is told to people is in `kept`.
    """
    sums = {roll_up[:3]: Counter(roll_up.events) for roll_up in kept(session, site_id, dimension, first, end)}
    for row in session.scalars(select(TallyRow).where(TallyRow.site_id == site_id)):
        for name, period, value in _cell(row).margins():
            if name == dimension and first <= period < end:
                here = sums.setdefault((period, value, row.notice_id), Counter())
                for counter in _counters(name, row.outcome):
                    here[counter] += row.count
    return [RollUp(*place, events) for place, events in sorted(sums.items())]


def kept(
    session: Session, site_id: int, dimension: str, first: str, end: str, by: Sequence[str] = ("period", "value"),
    counters: Sequence[CounterName] = (),
) -> list[RollUp]:  # fmt: skip
    """The same without the inbox, kept apart by `by` and notice; of these counters alone, or of all."""
    place = ("period", "value", "notice_id") if "period" in by else (*by, "notice_id")
    pieces = [(dimension, first, end, 1)] if "period" in by else _pieces(dimension, first, end)
    rows = union_all(*(_rows(place, (site_id, *piece), counters) for piece in pieces)).subquery()
    # By period there is nothing to sum up, and sorting for it would be most of the work.
    if "period" not in by:
        kept_apart, total = [rows.c[name] for name in (*place, "counter")], cast(func.sum(rows.c.events), BigInteger)
        summed = select(*kept_apart, total.label("events")).group_by(*kept_apart)
        rows = summed.having(total != 0).subquery()
    # A year has tens of thousands of counters. Brought together by the database, a place is one row, and its counters
    # are read at once.
    together = func.json_group_object if session.get_bind().dialect.name == "sqlite" else func.json_object_agg
    events = together(rows.c.counter, rows.c.events, type_=JSON)
    columns = [rows.c[name] if name in by else literal("") for name in ("period", "value")]
    query = select(*columns, rows.c.notice_id, events).group_by(*(rows.c[name] for name in place))
    return list(starmap(_decoded, session.execute(query)))


def take(session: Session, site_id: int, dimension: str, day: str) -> list[RollUp]:
    """What is kept of a day or its hours, and no longer from here on: what is added meanwhile stays."""
    periods = [day, *(f"{day}T{hour:02d}" for hour in range(24))]
    place = (RollUpRow.site_id == site_id, RollUpRow.dimension == dimension, RollUpRow.period.in_(periods))
    columns = (RollUpRow.period, RollUpRow.value, RollUpRow.notice_id, RollUpRow.counter, RollUpRow.count)
    found: dict[tuple[str, str, int], dict[str, int]] = {}
    for period, value, notice_id, counter, events in session.execute(
        delete(RollUpRow).where(*place).returning(*columns)
    ):
        found.setdefault((period, value, notice_id), {})[counter] = events
    return [_decoded(*of, events) for of, events in found.items()]


def _pieces(dimension: str, first: str, end: str) -> Iterator[tuple[str, str, str, int]]:
    """Dimension, begin, end and sign of what a span is summed from: months, and days to add or to take away.

    Each end of the months is the one that lies nearer. So of a span up to today, whose month has no later days, hardly
    any are read.
    """
    if dimension not in MONTHS:
        yield dimension, first, end, 1
        return
    begin, stop = _nearest_month(first), _nearest_month(end)
    if begin >= stop:
        yield dimension, first, end, 1
        return
    yield MONTHS[dimension], begin, stop, 1
    for day, month, sign in ((first, begin, 1), (end, stop, -1)):
        start = f"{month}-01"
        yield dimension, *((day, start, sign) if day < start else (start, day, -sign))


def _nearest_month(day: str) -> str:
    return day[:7] if int(day[8:10]) <= HALF else _next_month(day)


def _rows(
    place: Sequence[str], piece: tuple[int, str, str, str, int], counters: Sequence[CounterName]
) -> Select[tuple[Any, ...]]:
    site_id, dimension, first, end, sign = piece
    where = [ROLL_UPS.c.site_id == site_id, ROLL_UPS.c.dimension == dimension]
    where += [ROLL_UPS.c.period >= first, ROLL_UPS.c.period < end]
    if counters:
        where.append(ROLL_UPS.c.counter.in_([counter.text for counter in counters]))
    kept_apart = [ROLL_UPS.c[name] for name in (*place, "counter")]
    return select(*kept_apart, (ROLL_UPS.c["count"] * sign).label("events")).where(*where)


def _next_month(day: str) -> str:
    """The month ("2027-01") after that of a day."""
    year, month = int(day[:4]), int(day[5:7])
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def _decoded(period: str, value: str, notice_id: int, events: Mapping[str, int]) -> RollUp:
    # The only place that reads the stored text of a counter; add_up is the only one that writes it.
    return RollUp(period, value, notice_id, {CounterName.parse(text): count for text, count in events.items()})


def first_period(session: Session, site_id: int) -> str | None:
    """The first day on which anything was counted on a site."""
    place = (RollUpRow.site_id == site_id, RollUpRow.dimension.in_((DAY, DAYS)))
    query = select(func.min(RollUpRow.period)).where(*place)
    return session.scalar(query) or session.scalar(
        select(func.min(func.substr(TallyRow.hour, 1, 10))).where(TallyRow.site_id == site_id)
    )


def last_answer(session: Session, site_id: int) -> str | None:
    """The last hour in which a first choice was counted on a site."""
    counter = CounterName(Measure.DECISIONS).text
    query = (
        select(RollUpRow.period)
        .where(RollUpRow.site_id == site_id, RollUpRow.dimension == PULSE, RollUpRow.counter == counter)
        .order_by(RollUpRow.period.desc())
        .limit(1)
    )
    first = or_(*(TallyRow.outcome.like(f"{kind}:%") for kind in (Kind.FIRST, Kind.ANSWER)))
    waiting = select(func.max(TallyRow.hour)).where(TallyRow.site_id == site_id, first)
    return max(filter(None, (session.scalar(query), session.scalar(waiting))), default=None)


@cache
def _slot(_process: int) -> int:
    # Drawn, since containers number their processes alike; and once a process, since a worker that is forked off
    # must draw its own.
    return secrets.randbelow(SLOTS)


def _columns(cell: Cell) -> dict[str, Any]:
    # `dataclasses.asdict` copies each value, which takes as long as the INSERT.
    return {name: getattr(cell, name) for name in Cell.__slots__}


def _cell(row: TallyRow) -> Cell:
    return Cell(*(getattr(row, name) for name in Cell.__slots__))


def upsert(session: Session, table: Table, key: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    """Add the `count` of rows to those of the same key, which are made where they are missing."""
    if rows:
        _adding(table, key)(connection_of(session), rows)


@cache
def _adding(table: Table, key: tuple[str, ...]) -> DriverInsert:
    index = [table.c[name] for name in key]
    return DriverInsert(
        table,
        lambda insert: insert.on_conflict_do_update(
            index_elements=index, set_={"count": table.c.count + insert.excluded.count}
        ),
    )
