"""How much a rate goes up and down from day to day by itself, as the last eight weeks of the site show it.

Chance alone explains the days of hardly any site: visitors of one day resemble each other, one visitor is seen many
times, a newsletter goes out on Tuesdays. What days vary beyond chance is estimated here, weekday by weekday and with
the likeness of neighbouring days, so that a difference is called one only where it is more than that.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from math import fsum, sqrt
from statistics import NormalDist
from typing import NamedTuple

from consent_server.rates.rules import Swing, Trials

HISTORY_DAYS = 56
# With fewer degrees of freedom a variance is hardly known, and the factor of Student's t says so by its size.
LEAST_FREEDOM = 5
MOST_CORRELATION = 0.8
_Z = NormalDist().inv_cdf(0.975)
# Abramowitz and Stegun 26.7.5: of the quantile of Student's t, the terms in 1/freedom.
_TERMS = (
    (_Z**3 + _Z) / 4,
    (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / 96,
    (3 * _Z**7 + 19 * _Z**5 + 17 * _Z**3 - 15 * _Z) / 384,
    (79 * _Z**9 + 776 * _Z**7 + 1482 * _Z**5 - 1920 * _Z**3 - 945 * _Z) / 92160,
)


@dataclass(frozen=True, slots=True)
class DayToDay:
    """The ups and downs of a rate, learnt from so many `days`.

    `variance` is what one day adds, beyond chance, to the rate of many, with `freedom` degrees of freedom;
    `correlation` is that of neighbouring days, `weekdays` how much each (Monday is 0) lifts the rate of many.
    """

    days: int
    freedom: int
    variance: float
    correlation: float
    weekdays: Mapping[int, float]

    def swing(self, after: Sequence[date], before: Sequence[date]) -> Swing:
        """How far the rates over these days may lie apart by the days alone, at 95 %."""
        variance = sum(self.variance * _of_mean(len(days), self.correlation) for days in (after, before))
        return Swing(student(self.freedom) * sqrt(variance), self._usual(after) - self._usual(before), self.days)

    def _usual(self, days: Sequence[date]) -> float:
        weekdays = Counter(map(date.weekday, days))
        return fsum(self.weekdays.get(weekday, 0.0) * number for weekday, number in weekdays.items()) / len(days)


class _Day(NamedTuple):
    day: date
    trials: int
    rate: float
    part: int  # 1 from the border on, else 0


def day_to_day(history: Mapping[date, Trials], border: date) -> DayToDay | None:
    """Learn the ups and downs of a rate from days; None where they are too few, or all of one outcome.

    From `border` on the rate may lie on another level: that is the change in question, not one of its ups and downs.
    A day adds nᵢ(pᵢ − p)/n̄ to the rate of many, the terms of the variance of a ratio (Cochran 1977, Sampling
    Techniques, 6.4), here within weekdays. So days with more visitors than usual count as the ups and downs they are.
    """
    days = [
        _Day(day, counted.trials, counted.successes / counted.trials, day >= border)
        for day, counted in sorted(history.items())
        if 0 < counted.trials >= counted.successes
    ]
    step = _step(days)
    freedom = len(days) - len({day.day.weekday() for day in days}) - (step is not None)
    if freedom < LEAST_FREEDOM:
        return None
    rates = [day.rate - day.part * (step or 0.0) for day in days]
    level = _mean([(rate, day.trials) for rate, day in zip(rates, days, strict=True)])
    if not 0 < level < 1:
        return None
    usual = [_plain([day.trials for day in days if day.part == part]) for part in (0, 1)]
    added = {day.day: (rate - level) * day.trials / usual[day.part] for rate, day in zip(rates, days, strict=True)}
    of_weekday: dict[int, list[float]] = {number: [] for number in range(7)}
    for day, value in added.items():
        of_weekday[day.weekday()].append(value)
    weekdays = {number: _plain(values) for number, values in of_weekday.items()}
    left = {day: value - weekdays[day.weekday()] for day, value in added.items()}
    chance = level * (1 - level) * _plain([day.trials / usual[day.part] ** 2 for day in days])
    variance = max(fsum(value * value for value in left.values()) / freedom - chance, 0.0)
    return DayToDay(len(days), freedom, variance, _correlation(left, variance), weekdays)


@cache
def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t; right to 0.001 from 5 degrees of freedom on."""
    return _Z + fsum(term / float(freedom**power) for power, term in enumerate(_TERMS, 1))


@cache
def _of_mean(days: int, correlation: float) -> float:
    """The variance of the mean of a first-order autoregressive series, where one value has 1."""
    alike = fsum((1 - lag / days) * correlation**lag for lag in range(1, days))
    return (1 + 2 * alike) / days


def _step(days: Sequence[_Day]) -> float | None:
    """How much higher the level is from the border on, weekday against weekday; None where they have none in common.

    It is the least-squares fit of two levels and seven weekdays, each day weighted by its trials.
    """
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for day in days:
        cells.setdefault((day.day.weekday(), day.part), []).append((day.rate, day.trials))
    steps = []
    for weekday in range(7):
        before, after = cells.get((weekday, 0)), cells.get((weekday, 1))
        if before and after:
            sizes = [fsum(trials for _, trials in part) for part in (before, after)]
            steps.append((_mean(after) - _mean(before), sizes[0] * sizes[1] / sum(sizes)))
    return _mean(steps) if steps else None


def _correlation(left: Mapping[date, float], variance: float) -> float:
    pairs = [value * after for day, value in left.items() if (after := left.get(day + timedelta(days=1))) is not None]
    if not pairs or not variance:
        return 0.0
    # Of so few days it comes out too low, and is hardly known: so one standard error more, 1/√n (Bartlett 1946).
    found = _plain(pairs) / variance + 1 / sqrt(len(left))
    # Two digits: enough, and the sums over a year are made once for each.
    return round(min(max(found, 0.0), MOST_CORRELATION), 2)


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    weights = fsum(weight for _, weight in weighted)
    return fsum(value * weight for value, weight in weighted) / weights if weights else 0.0


def _plain(values: Sequence[float]) -> float:
    return fsum(values) / len(values) if values else 0.0
