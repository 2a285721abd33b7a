"""Whether two arms have the same odds, by a test that may be looked at every day, and the interval that it inverts.

Given how many views each arm had on a day and how many successes both had together, the successes of the one follow
Fisher's noncentral hypergeometric law, in which only the odds ratio of the arms is left (Fisher 1935, JRSS 98:39-82).
So whatever a day's level and size are, the ratio of its likelihoods under two odds ratios is at most 1 on average
where the second is true. Their product over the days, averaged over the first, ever reaches 1/α with probability at
most α (Ville). An odds ratio belongs to the interval as long as it has not been refuted so.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from math import exp, fsum, inf, lgamma, log, sinh, sqrt
from typing import NamedTuple

from consent_server.rates.rules import Trials

# Log odds ratios at which a day's likelihood is computed, densest about 0. Between them it is interpolated.
NODES = tuple(0.02 * sinh(0.3 * number) for number in range(-20, 21))
# Log odds ratios that an arm may be expected to have: ±0.03 to ±1.5, each as likely as the next.
SMALLEST, LARGEST = 0.03, 1.5
_STEPS = 3
# Standard deviations beyond which nothing of a sum is left, and terms of it for each.
_REACH, _TERMS = 9, 2


class _Odds(NamedTuple):
    """At the nodes: the logarithm of the likelihood's normaliser, and the mean of the arm's successes."""

    logs: tuple[float, ...]
    means: tuple[float, ...]


@dataclass
class LogLikelihood:
    """Of the log odds ratio of two arms, over the days that were added, given all margins."""

    values: list[float]
    slopes: list[float]

    @staticmethod
    def empty() -> "LogLikelihood":
        """Of no day."""
        return LogLikelihood([0.0] * len(NODES), [0.0] * len(NODES))

    def add(self, a: Trials, b: Trials) -> None:
        """Take in a day: what was counted of the control, and of the arm."""
        odds = _odds(a.trials, b.trials, a.successes + b.successes)
        for at, node in enumerate(NODES):
            self.values[at] += node * b.successes - odds.logs[at]
            self.slopes[at] += b.successes - odds.means[at]

    def at(self, theta: float) -> float:
        """By cubic interpolation of values and slopes; the function is concave and smooth."""
        right = min(bisect_right(NODES, theta, 1), len(NODES) - 1)
        left = right - 1
        width = NODES[right] - NODES[left]
        t = (theta - NODES[left]) / width
        return (
            (1 + 2 * t) * (1 - t) ** 2 * self.values[left]
            + t * (1 - t) ** 2 * width * self.slopes[left]
            + t * t * (3 - 2 * t) * self.values[right]
            + t * t * (t - 1) * width * self.slopes[right]
        )

    def average(self) -> float:
        """The logarithm of the likelihood, averaged over the odds ratios that may be expected."""
        logs = [self.at(theta) for theta in _EXPECTED]
        most = max(logs)
        return most + log(fsum(exp(value - most) for value in logs) / len(logs))

    def peak(self) -> float:
        """Where it is largest, to the nearest node: it falls to both sides of it."""
        return NODES[max(range(len(NODES)), key=self.values.__getitem__)]


class Evidence(NamedTuple):
    """After all days: the logarithm of the most evidence that there ever was against equal odds, and the interval.

    `low` and `high` are log odds ratios, of all days together those that were never refuted; -inf and inf where they
    lie beyond the nodes. The interval excludes 0 exactly where `against` exceeds log(1/level).
    """

    against: float
    low: float
    high: float


def weigh(days: Iterable[tuple[Trials, Trials]], level: float) -> Evidence:
    """Look at control and arm after each day; at most `level` of such intervals ever miss the true odds ratio."""
    likelihood, against, low, high = LogLikelihood.empty(), 0.0, -inf, inf
    for a, b in days:
        likelihood.add(a, b)
        average = likelihood.average()
        against = max(against, average - likelihood.at(0.0))
        refuted = average + log(level)
        peak = likelihood.peak()
        low = max(low, _end(likelihood, refuted, peak, NODES[0]))
        high = min(high, _end(likelihood, refuted, peak, NODES[-1]))
    # Days that contradict each other refute every odds ratio: then it lies somewhere between what they say.
    low, high = min(low, high), max(low, high)
    return Evidence(min(against, -log(level)) if low <= 0 <= high else against, low, high)


def difference_at(theta: float, a: Trials, b: Trials) -> float:
    """By how much the rates differ at a log odds ratio, where both arms together have the successes they have."""
    if theta in (-inf, inf):
        return 1.0 if theta > 0 else -1.0
    trials, successes, odds = a.trials + b.trials, a.successes + b.successes, exp(theta)
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        other = odds * rate / (1 - rate + odds * rate)
        low, high = (low, rate) if a.trials * rate + b.trials * other > successes else (rate, high)
    assert 0 < successes < trials
    return odds * low / (1 - low + odds * low) - low


def _end(likelihood: LogLikelihood, refuted: float, peak: float, outer: float) -> float:
    """Where the likelihood falls to what is refuted, on the way from its peak outwards."""
    if likelihood.at(outer) > refuted:
        return inf if outer > 0 else -inf
    inner = peak
    for _ in range(40):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if likelihood.at(middle) > refuted else (inner, middle)
    return outer


@lru_cache(maxsize=4096)
def _odds(trials_a: int, trials_b: int, successes: int) -> _Odds:
    """Of one day; what is over changes no more, so it is computed once."""
    day = _Day(trials_a, trials_b, successes)
    sums = [day.sum(node) for node in NODES]
    central = day.sum(0.0)[0]
    return _Odds(tuple(value - central for value, _ in sums), tuple(mean for _, mean in sums))


class _Day:
    """The terms C(a, m−k)·C(b, k) of a day with a and b views and m successes, of which k are the arm's."""

    def __init__(self, trials_a: int, trials_b: int, successes: int) -> None:
        self.trials_a, self.trials_b, self.successes = trials_a, trials_b, successes
        self.first, self.last = max(0, successes - trials_a), min(successes, trials_b)
        self.log_term = cache(self._log_term)

    def sum(self, theta: float) -> tuple[float, float]:
        """The logarithm of the sum of all terms times e^θk, and the mean of k.

        Terms that are too small to matter are left out. Of a wide sum only every so many are taken: of a smooth bump
        the trapezoid rule misses nothing that a float could hold (two terms a standard deviation: e^-79 of it).
        """
        mode = self._mode(exp(theta))
        deviation = sqrt(1 / sum(1 / (part + 1) for part in self._cells(mode)))
        reach = int(_REACH * deviation) + _REACH
        smooth = self.first < mode - reach and mode + reach < self.last
        step = max(int(deviation / _TERMS), 1) if smooth else 1
        below, above = min(mode - self.first, reach) // step, min(self.last - mode, reach) // step
        ks = range(mode - below * step, mode + above * step + 1, step)
        logs = [self.log_term(k) + theta * k for k in ks]
        most = max(logs)
        weights = [exp(value - most) for value in logs]
        whole = fsum(weights)
        return most + log(step * whole), fsum(k * weight for k, weight in zip(ks, weights, strict=True)) / whole

    def _mode(self, odds: float) -> int:
        """Where the terms are largest (Liao and Rosen 2001, The American Statistician 55:366-369)."""
        b = (self.successes + self.trials_b + 2) * odds + self.trials_a - self.successes
        c = odds * (self.successes + 1) * (self.trials_b + 1)
        root = 2 * c / (b + sqrt(b * b - 4 * (odds - 1) * c))
        return min(max(int(root), self.first), self.last)

    def _cells(self, k: int) -> tuple[int, ...]:
        return k, self.successes - k, self.trials_b - k, self.trials_a - self.successes + k

    def _log_term(self, k: int) -> float:
        return -sum(lgamma(part + 1) for part in self._cells(k))


def _expected() -> Iterator[float]:
    for left, right in pairwise(NODES):
        for step in range(_STEPS):
            theta = left + (right - left) * step / _STEPS
            if SMALLEST <= abs(theta) <= LARGEST:
                yield theta


_EXPECTED = tuple(_expected())
