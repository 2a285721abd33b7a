"""Whether a rate fell on the day on which a new notice came into force."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import log
from typing import Any

from consent_server.rates.rules import RATES, Rate, Totals, difference

WEEK = 7
# A fall that is not clearly more than this, in points of a hundred, is not worth a note.
LEAST = 0.01
WATCHED = ("interaction", "consent", "opt_in")


@dataclass(frozen=True, slots=True)
class Drop:
    """A rate before and from the day of a publication, over the same days of the week."""

    rate: str
    notice: str
    day: date
    before: Rate
    after: Rate
    change: Rate

    def to_json(self) -> dict[str, Any]:
        """What the note says, for programs."""
        rates = {name: getattr(self, name).to_json() for name in ("before", "after", "change")}
        return {"rate": self.rate, "notice": self.notice, "day": self.day.isoformat(), **rates}


def drops(days: Mapping[date, Totals], published: Sequence[tuple[str, date]], last: date) -> list[Drop]:
    """The falls that began with a notice: `published` are notices and their days, oldest first.

    Compared are the days from a publication up to the next or to `last`, a week at most, with the same days
    of the week before. Told is a fall whose whole interval lies below -LEAST, and which began on that day:
    of all ways to cut these days in two, the one there fits best, or the one a day later, since a notice of
    the evening shows on the next day.
    """
    ends = [day - timedelta(days=1) for _, day in published[1:]] + [last]
    return [
        drop
        for (notice, day), end in zip(published, ends, strict=False)
        for name in WATCHED
        if (drop := _drop(name, notice, days, day, min(end, day + timedelta(days=WEEK - 1)))) is not None
    ]


def _drop(name: str, notice: str, days: Mapping[date, Totals], day: date, end: date) -> Drop | None:
    week = timedelta(days=WEEK)
    after, before = _sum(days, day, end).rate(name), _sum(days, day - week, end - week).rate(name)
    change = difference(after, before)
    if change.high is None or change.high >= -LEAST:
        return None
    begins = _begins(name, [(near, days.get(near, Totals())) for near in _days(day - week, end)])
    return Drop(name, notice, day, before, after, change) if begins in (day, day + timedelta(days=1)) else None


def _begins(name: str, days: Sequence[tuple[date, Totals]]) -> date:
    """The first day of the second part, where days are cut so that two rates fit them best (maximum likelihood)."""
    counted = [(day, *RATES[name].trials(totals)) for day, totals in days]
    successes, trials = sum(over for _, over, _ in counted), sum(under for _, _, under in counted)
    best, begins = float("-inf"), days[0][0]
    before, seen = 0, 0
    for (_, over, under), (day, _, _) in pairwise(counted):
        before, seen = before + over, seen + under
        fit = _fit(before, seen) + _fit(successes - before, trials - seen)
        if fit > best:
            best, begins = fit, day
    return begins


def _fit(successes: int, trials: int) -> float:
    """The logarithm of the likelihood of so many successes, under the rate that fits them best."""
    failures = trials - successes
    if successes <= 0 or failures <= 0:
        return 0.0
    return successes * log(successes / trials) + failures * log(failures / trials)


def _sum(days: Mapping[date, Totals], first: date, last: date) -> Totals:
    return sum((days.get(day, Totals()) for day in _days(first, last)), Totals())


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=step) for step in range((last - first).days + 1))
