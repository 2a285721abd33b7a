"""Which of several banners does better, by a test that may be looked at every day.

The test is that of Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for
optional stopping" (arXiv 2106.02693). A day is one batch. From the days before come a guess of each arm's rate and,
weighted by the trials of the day, of their common rate if there were no difference; the day's evidence is how much
better the two guesses foresaw it than the one. Without a difference its expectation is at most 1, whatever the common
rate of the day, so the product over the days reaches 1/α ever with probability at most α (Ville).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, lgamma, log, sqrt
from typing import Any

from consent_server.rates.rules import Trials

LEVEL = 0.05
# Stricter than the test: it stops the reading of a whole experiment, and a broken split shows soon at any level.
SHARES_LEVEL = 0.001
# Prior weight of the fixed shares, in views: finds deviations of one to a few points soonest.
SHARES_WEIGHT = 1000
# Weekdays differ, so a whole week; and the interval is one for large numbers.
LEAST_DAYS = 7
LEAST_TRIALS = 100
# Where the interval is narrowest, in trials of both arms.
_TIGHTEST = 10_000
_PRIOR = 0.5  # Jeffreys' Beta(1/2, 1/2); it makes the evidence of the first day 1, as there is nothing to foresee from

SENTENCES = {
    "shares_do_not_match": "Do not read the result: the arms were not shown in the shares that were set. "
    "Look for a page or a cache that serves one arm alone.",
    "too_early": "Too early to tell: wait until each arm has {least_trials} views over {least_days} days. "
    "So far {trials} over {days}.",
    "no_difference": "No difference that is more than chance so far between {arm} and {control}. "
    "If there is one, it lies between {low} and {high} points.",
    "better": "{arm} is better than {control} by {low} to {high} points.",
    "worse": "{arm} is worse than {control} by {low} to {high} points.",
}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What may be said: a key of SENTENCES and what to fill in. Points are percentage points."""

    key: str
    params: Mapping[str, str | int | float]

    @property
    def text(self) -> str:
        """The sentence in English."""
        return SENTENCES[self.key].format(**self.params)

    def to_json(self) -> dict[str, Any]:
        """Key, params and text."""
        return {"key": self.key, "params": dict(self.params), "text": self.text}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against the control, over all days so far.

    `p` is anytime-valid: the smallest so far, corrected for the number of arms (Bonferroni). `difference`, `low` and
    `high` are of the rates, -1 to 1, None before both arms have a trial; the interval may be read on any day too.
    """

    arm: str
    control: str
    p: float
    difference: float | None
    low: float | None
    high: float | None
    conclusion: Conclusion

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        numbers = {"p": self.p, "difference": self.difference, "low": self.low, "high": self.high}
        return {"arm": self.arm, "control": self.control, **numbers, "conclusion": self.conclusion.to_json()}


@dataclass(frozen=True, slots=True)
class Result:
    """`shares_p` tells whether the arms were shown as often as their weights say, `conclusion` what may be said."""

    totals: Mapping[str, Trials]
    shares_p: float
    comparisons: tuple[Comparison, ...]
    conclusion: Conclusion

    def to_json(self) -> dict[str, Any]:
        """All of it; the rates of the arms are in the report by notice."""
        return {
            "shares": {"p": self.shares_p, "match": self.shares_p > SHARES_LEVEL},
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
            "conclusion": self.conclusion.to_json(),
        }


def conclude(weights: Mapping[str, int], days: Sequence[Mapping[str, Trials]], level: float = LEVEL) -> Result:
    """Judge complete days, oldest first; the first arm is the control. An arm that a day lacks has no trials in it.

    `weights` are the arms' shares, each in relation to the others.

    Changed weights or texts are another experiment: begin its days anew. Raises ValueError for fewer than two arms.
    """
    if len(weights) < 2:
        raise ValueError("An experiment has at least two arms.")
    filled = [{arm: day.get(arm, Trials(0, 0)) for arm in weights} for day in days]
    totals = {arm: _sum(day[arm] for day in filled) for arm in weights}
    shares_p = shares_p_value(weights, filled)
    batches = list(_batches(filled))
    control, *others = weights
    comparisons = tuple(_compare(arm, control, batches, len(filled), level, len(others)) for arm in others)
    if shares_p <= SHARES_LEVEL:
        silent = Conclusion("shares_do_not_match", {})
        return Result(totals, shares_p, tuple(replace(arm, conclusion=silent) for arm in comparisons), silent)
    return Result(totals, shares_p, comparisons, _overall(comparisons))


def log_e(a: Trials, b: Trials, theta_a: float, theta_b: float) -> float:
    """Evidence of one batch against equal rates, as a natural logarithm; the guesses must not know the batch."""
    theta = (a.trials * theta_a + b.trials * theta_b) / (a.trials + b.trials) if a.trials + b.trials else theta_a
    return _log_ratio(a, theta_a, theta) + _log_ratio(b, theta_b, theta)


def evidence(pairs: Sequence[tuple[Trials, Trials]], prior: float = _PRIOR) -> list[float]:
    """The product so far after each batch, as natural logarithms; guesses are means under Beta(prior, prior)."""
    products: list[float] = []
    total = 0.0
    before_a, before_b = Trials(0, 0), Trials(0, 0)
    for a, b in pairs:
        total += log_e(a, b, _mean(before_a, prior), _mean(before_b, prior))
        before_a, before_b = _sum((before_a, a)), _sum((before_b, b))
        products.append(total)
    return products


def shares_p_value(weights: Mapping[str, int], days: Sequence[Mapping[str, Trials]]) -> float:
    """Anytime-valid p-value that views fell on the arms by their weights.

    The Dirichlet-multinomial test of Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data"
    (arXiv 2011.03567), with the prior mean at the weights.
    """
    whole = sum(weights.values())
    shares = {arm: weight / whole for arm, weight in weights.items()}
    seen = dict.fromkeys(shares, 0)
    most = 0.0
    for day in days:
        seen = {key: count + day[key].trials for key, count in seen.items()}
        most = max(most, _log_shares(seen, shares))
    return exp(-most)


def interval(a: Trials, b: Trials, level: float = LEVEL) -> tuple[float, float, float]:
    """How much b's rate exceeds a's, with an interval that holds on all days at once with probability 1 - level.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit
    theory and asymptotic confidence sequences" (arXiv 2103.06476), of a difference of means under random allocation.
    """
    n = a.trials + b.trials
    difference = b.successes / b.trials - a.successes / a.trials
    # Of the means with half a success and half a failure more: no arm is ever taken to be free of chance.
    rate_a, rate_b = _mean(a, _PRIOR), _mean(b, _PRIOR)
    variance = rate_a * (1 - rate_a) / a.trials + rate_b * (1 - rate_b) / b.trials
    x = n * _narrowest(level) / _TIGHTEST
    half = sqrt(variance * 2 * (1 + 1 / x) * log(sqrt(x + 1) / level))
    return difference, max(difference - half, -1.0), min(difference + half, 1.0)


def _narrowest(level: float) -> float:
    # The x = n·rho² that makes the half-width least solves x = log(x + 1) - 2·log(level).
    x = 1.0
    for _ in range(50):
        x = log(x + 1) - 2 * log(level)
    return x


def _batches(days: Sequence[Mapping[str, Trials]]) -> Iterator[Mapping[str, Trials]]:
    # Views and choices are counted apart, and a view before midnight may be answered after it. A day with more
    # successes than trials waits for the next, for all arms alike.
    waiting: dict[str, Trials] = {}
    for day in days:
        waiting = {key: _sum((waiting.get(key, Trials(0, 0)), counted)) for key, counted in day.items()}
        if all(counted.successes <= counted.trials for counted in waiting.values()):
            yield waiting
            waiting = {}


def _compare(
    arm: str, control: str, batches: Sequence[Mapping[str, Trials]], days: int, level: float, arms: int
) -> Comparison:
    pairs = [(batch[control], batch[arm]) for batch in batches]
    p = min(1.0, arms * exp(-max([0.0, *evidence(pairs)])))
    a, b = _sum(pair[0] for pair in pairs), _sum(pair[1] for pair in pairs)
    names: dict[str, str | int | float] = {"arm": arm, "control": control}
    least = min(a.trials, b.trials)
    value, low, high = interval(a, b, level / arms) if least else (None, None, None)
    if low is None or high is None or days < LEAST_DAYS or least < LEAST_TRIALS:
        limits = {"least_trials": LEAST_TRIALS, "least_days": LEAST_DAYS, "trials": least, "days": days}
        return Comparison(arm, control, p, value, low, high, Conclusion("too_early", names | limits))
    # Both must say so: the test is exact and the interval holds for large numbers, so neither is left to itself.
    key = "no_difference" if p > level or low <= 0 <= high else "better" if low > 0 else "worse"
    ends = (-high, -low) if key == "worse" else (low, high)
    points = dict(zip(("low", "high"), (round(100 * end, 1) for end in ends), strict=True))
    return Comparison(arm, control, p, value, low, high, Conclusion(key, names | points))


def _overall(comparisons: Sequence[Comparison]) -> Conclusion:
    # The best arm, if one is better than the control; else what holds one back from saying so; else the worst news.
    better = [comparison for comparison in comparisons if comparison.conclusion.key == "better"]
    if better:
        return max(better, key=lambda comparison: comparison.low or 0.0).conclusion
    order = ("too_early", "no_difference", "worse")
    return min((comparison.conclusion for comparison in comparisons), key=lambda said: order.index(said.key))


def _log_ratio(counted: Trials, theta: float, theta_0: float) -> float:
    failures = counted.trials - counted.successes
    return counted.successes * log(theta / theta_0) + failures * log((1 - theta) / (1 - theta_0))


def _log_shares(seen: Mapping[str, int], shares: Mapping[str, float]) -> float:
    total = lgamma(SHARES_WEIGHT) - lgamma(SHARES_WEIGHT + sum(seen.values()))
    for key, count in seen.items():
        prior = SHARES_WEIGHT * shares[key]
        total += lgamma(prior + count) - lgamma(prior) - count * log(shares[key])
    return total


def _mean(counted: Trials, prior: float) -> float:
    return (counted.successes + prior) / (counted.trials + 2 * prior)


def _sum(parts: Iterable[Trials]) -> Trials:
    successes = trials = 0
    for part in parts:
        successes += part.successes
        trials += part.trials
    return Trials(successes, trials)
