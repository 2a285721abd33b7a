"""Whether a rate has left its usual level: on one day by far, or by a little on day after day.

A day is compared with the same weekday of the eight weeks before, and by how much such days miss each other, chance
included. Where days are too small to be judged, the seven days up to one are, like one day.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from math import fsum, pi, sqrt
from statistics import median

from consent_server.rates.rules import Trials

WEEKS, LEAST_WEEKS = 8, 4
LEAST_TRIALS = 100
# Of seven days together.
LEAST_OF_WEEK = 25
# Of successes and of failures that a day should have: fewer, and chance is too lopsided for a symmetric band.
LEAST_EXPECTED = 10
WIDTH = 3.0
# E. S. Page (1954), Continuous inspection schemes, Biometrika 41:100-115, in standard deviations.
ALLOWANCE, LIMIT = 0.5, 5.0
DAY, WEEK = timedelta(days=1), timedelta(days=7)
# So long ago a slow change may have begun.
RUN = timedelta(days=28)
# How far back days must be known.
KNOWN = WEEKS * WEEK + RUN
# One square of ten is left out, the largest; what makes the mean of the others a variance where days are normal.
DROPPED, CONSISTENT = 10, 1.605


@dataclass(frozen=True, slots=True)
class Band:
    """Where a rate usually lies on such a day, and how far off this one is: `z` counts standard deviations."""

    value: float
    usual: float
    low: float
    high: float
    z: float


@dataclass(frozen=True, slots=True)
class Move:
    """A rate left its usual level on a day, and was not known to have.

    `since` is the first of the days that tell it: the day itself, or seven up to it, or those of a slow change.
    """

    band: Band
    since: date

    @property
    def slow(self) -> bool:
        """Whether no day tells it by itself."""
        return abs(self.band.z) <= WIDTH


def moves(counted: Mapping[date, Trials], days: Sequence[date]) -> dict[date, Move]:
    """On which of some days in a row a rate left its usual level anew.

    It leaves it on a day outside the band, until one lies within a standard deviation; or when the sum of what days
    miss by, less the allowance, exceeds the limit, until that is back at 0. What lasts is the usual level after weeks.
    """
    small = _by_weeks(counted, days[-1])
    judge = partial(band_of_week if small else band_of_day, counted)
    sides = [_Side(sign, days[0] - RUN, LIMIT if not small else float("inf")) for sign in (1, -1)]
    found = {}
    for day in _days(days[0] - RUN, days[-1]):
        band = judge(day)
        left = [side for side in sides if band is not None and side.leaves(day, band)]
        if band is not None and left and day in days:
            found[day] = Move(band, left[0].began if abs(band.z) <= WIDTH else day - 6 * DAY * small)
    return found


def band_of_day(counted: Mapping[date, Trials], day: date) -> Band | None:
    """Judge a day by the eight weeks before it; None where too little is known.

    The usual level is the median of its weekday. All weekdays together show by how much days miss it by themselves.
    """
    before: dict[int, list[Trials]] = {}
    for near in _days(day - WEEKS * WEEK, day - DAY):
        if near in counted and _counts(counted[near], LEAST_TRIALS):
            before.setdefault(near.weekday(), []).append(counted[near])
    return _band(counted.get(day, Trials(0, 0)), before.get(day.weekday(), []), before.values(), LEAST_TRIALS)


def band_of_week(counted: Mapping[date, Trials], day: date) -> Band | None:
    """The same of the seven days up to this one, by the eight times seven before them."""
    weeks = (_week(counted, day - back * WEEK) for back in range(WEEKS, 0, -1))
    before = [week for week in weeks if _counts(week, LEAST_OF_WEEK)]
    return _band(_week(counted, day), before, [before], LEAST_OF_WEEK)


def _band(judged: Trials, same: Sequence[Trials], all_days: Collection[Sequence[Trials]], least: int) -> Band | None:
    if len(same) < LEAST_WEEKS or not _counts(judged, least):
        return None
    usual = _median_rate(same)
    if judged.trials * min(usual, 1 - usual) < LEAST_EXPECTED:
        return None
    # A median of normal values varies π/2 times as much as their mean.
    variance = (_beyond_chance(all_days) + usual * (1 - usual) / judged.trials) * (1 + pi / 2 / len(same))
    value, spread = judged.successes / judged.trials, sqrt(variance)
    low, high = max(usual - WIDTH * spread, 0.0), min(usual + WIDTH * spread, 1.0)
    return Band(value, usual, low, high, (value - usual) / spread)


def _beyond_chance(days: Collection[Sequence[Trials]]) -> float:
    """By how much days of one weekday vary beyond chance, as a variance.

    One of ten is left out, those that miss the most: an odd day must not hide the next.
    """
    squares, chances = [], []
    for same in days:
        usual = _median_rate(same)
        squares += [(day.successes / day.trials - usual) ** 2 for day in same]
        chances += [usual * (1 - usual) / day.trials for day in same]
    dropped = len(squares) // DROPPED
    kept = sorted(squares)[: len(squares) - dropped]
    freedom = (len(squares) - len(days)) / len(squares)
    return max((CONSISTENT if dropped else 1) * fsum(kept) / len(kept) / freedom - median(chances), 0.0)


@dataclass
class _Side:
    """What is known of a rate above its usual level (1) or below it (-1) while one goes through its days."""

    sign: int
    began: date
    limit: float
    sum: float = 0.0
    outside: bool = False
    lasting: bool = False

    def leaves(self, day: date, band: Band) -> bool:
        """Whether it left it on this day and had not left it before."""
        known, off = self.outside or self.lasting, self.sign * band.z
        if not self.sum:
            self.began = day
        # One day alone is not what lasts, however far off; and what lasted is over some days after its end.
        self.sum = min(max(self.sum + min(off, WIDTH) - ALLOWANCE, 0.0), LIMIT + 1)
        self.lasting = self.sum > self.limit or (self.lasting and self.sum > 0)
        self.outside = off > WIDTH or (self.outside and off > 1)
        return (self.outside or self.lasting) and not known


def _by_weeks(counted: Mapping[date, Trials], last: date) -> bool:
    """Whether most days of the last weeks are too small to be judged."""
    return median(counted.get(day, Trials(0, 0)).trials for day in _days(last - WEEKS * WEEK, last)) < LEAST_TRIALS


def _week(counted: Mapping[date, Trials], last: date) -> Trials:
    days = [counted[day] for day in _days(last - 6 * DAY, last) if day in counted]
    return Trials(sum(day.successes for day in days), sum(day.trials for day in days))


def _median_rate(days: Sequence[Trials]) -> float:
    return median(day.successes / day.trials for day in days)


def _counts(counted: Trials, least: int) -> bool:
    return counted.trials >= least and counted.successes <= counted.trials


def _days(first: date, last: date) -> Iterator[date]:
    return (first + number * DAY for number in range((last - first).days + 1))
