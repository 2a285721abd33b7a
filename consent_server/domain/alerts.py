"""When a figure should be looked at: a rate outside its own usual band, and a banner that nobody answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from consent_server.domain.rates import Trials, wilson

BASELINE_DAYS = 28
LEAST_DAYS = 14
LEAST_TRIALS = 100
WIDTH = 3.0
# Of successes and of failures that a day should have: fewer, and chance is too lopsided for a symmetric band.
LEAST_EXPECTED = 10
UNANSWERED_CHANCE = 1e-6
LEAST_UNANSWERED = 50
UNANSWERED_WITHOUT_BASELINE = 500
# What the mean range of two normal values is in standard deviations (d2 of control charts).
_RANGE = 1.128

SENTENCES = {
    "outside_band": "The {rate} rate of {day} is {value} %, outside its usual {low} to {high} %. "
    "Look at what changed: a release, a notice, a campaign.",
    "never_answered": "The banner was shown {shown} times and never answered. "
    "Open the page and try to choose: something may cover the banner or break its script.",
}


@dataclass(frozen=True, slots=True)
class Band:
    """Where a rate usually lies for a day of so many trials, and how far off the day is.

    `z` counts the chart's own standard deviations; `spread` is how many times more the days vary than chance alone.
    """

    value: float
    usual: float
    low: float
    high: float
    z: float
    spread: float
    days: int

    @property
    def outside(self) -> bool:
        """Whether the day is worth an alert."""
        return abs(self.z) > WIDTH


def usual_band(before: Sequence[Trials], day: Trials) -> Band | None:
    """Judge a complete day by the 28 complete days before it, oldest first: Laney's p' chart.

    Laney (2002), "Improved control charts for attributes", Quality Engineering 14:531-537. None where there is too
    little to judge by. The days' own spread is never taken as less than chance gives, so a quiet month alarms nobody.
    """
    days = [counted for counted in before[-BASELINE_DAYS:] if _counts(counted)]
    if len(days) < LEAST_DAYS or not _counts(day):
        return None
    usual = sum(counted.successes for counted in days) / sum(counted.trials for counted in days)
    if day.trials * min(usual, 1 - usual) < LEAST_EXPECTED:
        return None
    scores = [_score(counted, usual) for counted in days]
    ranges = [abs(one - other) for one, other in pairwise(scores)]
    spread = max(1.0, sum(ranges) / len(ranges) / _RANGE)
    half = WIDTH * spread * sqrt(usual * (1 - usual) / day.trials)
    low, high = max(usual - half, 0.0), min(usual + half, 1.0)
    return Band(day.successes / day.trials, usual, low, high, _score(day, usual) / spread, spread, len(days))


def never_answered(shown: int, decisions: int, usual: Trials | None) -> bool:
    """Whether a banner that was shown so often would long have been answered if it could be.

    `usual` are the first choices and views of the days before, None where there are none. The chance that nobody
    answers is taken at the lower Wilson bound of the usual rate, so that little knowledge alarms late.
    """
    if decisions or shown < LEAST_UNANSWERED:
        return False
    if usual is None or not 0 < usual.successes <= usual.trials:
        return shown >= UNANSWERED_WITHOUT_BASELINE
    low, _ = wilson(*usual)
    return bool((1 - low) ** shown < UNANSWERED_CHANCE)


def _counts(counted: Trials) -> bool:
    return counted.trials >= LEAST_TRIALS and counted.successes <= counted.trials


def _score(counted: Trials, usual: float) -> float:
    return (counted.successes / counted.trials - usual) / sqrt(usual * (1 - usual) / counted.trials)
