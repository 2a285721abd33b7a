"""A site that is drawn: its level differs by weekday, its days vary by themselves, its visitors by chance.

As in the statistician's findings: neighbouring days are alike (correlation 0.3), volumes vary by a quarter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from random import Random

from consent_server.rates.rules import Totals, Trials

MONDAY = date(2026, 1, 5)
LEVEL, ALIKE, VOLUMES = 0.6, 0.3, 0.25


@dataclass(frozen=True)
class Pattern:
    """How much each weekday, from Monday on, lifts the rate, and its share of a usual day's visitors."""

    lifts: Sequence[float]
    volumes: Sequence[float] = (1.0,) * 7


PATTERNS = {
    "no weekdays": Pattern([0.0] * 7),
    "weekend": Pattern([0.0] * 5 + [-0.05] * 2, [1.0] * 5 + [0.3] * 2),
    "newsletter": Pattern([0.0, 0.06] + [0.0] * 5),
    "odd Sunday": Pattern([0.0] * 6 + [-0.06], [1.0] * 6 + [0.6]),
}


def drawn(random: Random, trials: int, rate: float) -> int:
    """So many successes: each trial where they are few, else the normal form of a binomial."""
    rate = min(max(rate, 0.0), 1.0)
    variance = trials * rate * (1 - rate)
    if variance < 25:
        return sum(random.random() < rate for _ in range(trials))
    return min(max(round(random.gauss(trials * rate, sqrt(variance))), 0), trials)


def simulated(
    random: Random, days: int, trials: int, spread: float, pattern: Pattern, first: date = MONDAY
) -> dict[date, Trials]:
    """A site where nothing happens: days of so many trials, which vary by a standard deviation of `spread`."""
    own, found = random.gauss(0, spread), {}
    for number in range(days):
        own = ALIKE * own + sqrt(1 - ALIKE**2) * random.gauss(0, spread)
        day = first + timedelta(days=number)
        volume = trials * pattern.volumes[day.weekday()] * random.lognormvariate(0, VOLUMES)
        found[day] = _day(random, max(round(volume), 1), LEVEL + pattern.lifts[day.weekday()] + own)
    return found


def fallen(random: Random, days: dict[date, Trials], since: date, by: float) -> dict[date, Trials]:
    """The same with a rate that is lower by so much from a day on."""
    return {
        day: Trials(counted.successes - drawn(random, counted.successes, by / LEVEL), counted.trials)
        if day >= since
        else counted
        for day, counted in days.items()
    }


def totals_of(counted: Trials) -> Totals:
    """A day on which so many of those who chose accepted, and half of the views were answered."""
    accepted, decisions = counted
    return Totals(2 * decisions, decisions, accepted, decisions - accepted, granted=accepted)


def _day(random: Random, trials: int, rate: float) -> Trials:
    return Trials(drawn(random, trials, rate), trials)
