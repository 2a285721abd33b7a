"""Which of several banners does better, by a test that may be looked at every day (rules_odds.py).

Two rates are judged, since one alone misleads: who refuses at once never gets the second view on which they would
have accepted. `opt_in` is what counts if a visitor sees one page, `consent` if they see many.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, lgamma, log
from typing import Any

from consent_server.rates.rules import RATES, Totals, Trials
from consent_server.rates.rules_odds import difference_at, weigh

JUDGED = ("opt_in", "consent")
LEVEL = 0.05
# Stricter than the test: it stops the reading of a whole experiment, and a broken split shows soon at any level.
SHARES_LEVEL = 0.001
# Prior weight of the fixed shares, in views: finds deviations of one to a few points soonest.
SHARES_WEIGHT = 1000
# Weekdays differ, so a whole week.
LEAST_DAYS = 7
LEAST_TRIALS = 100
# Of successes and of failures in each arm, below which no number is told.
LEAST_OUTCOMES = 10
# Pages on which a visitor may see the banner, for which is told how many would accept.
PAGES = (1, 2, 4, 8)

NAMES = {"opt_in": "the opt-in rate", "consent": "the consent rate"}
SENTENCES = {
    "shares_do_not_match": "Do not read the result: the arms were not shown in the shares that were set. "
    "Look for a page or a cache that serves one arm alone.",
    "too_early": "Too early to tell: wait until each arm has {least_trials} views over {least_days} days, and of both "
    "outcomes {least_outcomes}. So far {trials} views over {days} days.",
    "views_lost": "Nothing can be told of the last {days} days: {arm} has {successes} who accepted, and only {trials} "
    "counted views. Look for what stops its views from being counted, or opens its banner elsewhere.",
    "no_difference": "No difference that is more than chance so far between {arm} and {control}: {changes}.",
    "better": "{arm} is better than {control}: {changes}.",
    "worse": "{arm} is worse than {control}: {changes}.",
    "depends_on_pages": "{arm} gets more views accepted than {control}, but more visitors refuse: {changes}. Which one "
    "wins depends on how many pages a visitor sees.",
    "depends_on_pages_later": "{arm} gets fewer views accepted than {control}, but fewer visitors refuse: {changes}. "
    "Which one wins depends on how many pages a visitor sees.",
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
class RateComparison:
    """One rate of an arm against the control's, over all days so far.

    `p` is anytime-valid: the smallest so far, corrected for the number of arms and of rates (Bonferroni). `difference`,
    `low` and `high` are of the rates, -1 to 1, None where there are too few outcomes; the interval may be read on any
    day too, and holds 0 exactly as long as `p` is above the level.
    """

    p: float
    difference: float | None
    low: float | None
    high: float | None

    @property
    def side(self) -> int:
        """1 where it is surely higher than the control's, -1 where it is surely lower, else 0."""
        if self.low is None or self.high is None:
            return 0
        return (self.low > 0) - (self.high < 0)

    @property
    def words(self) -> str:
        """How it compares, in points of a hundred: "4.3 to 8.8 points higher"."""
        assert self.low is not None
        assert self.high is not None
        # No "-0.0".
        low, high = round(100 * self.low, 1) + 0.0, round(100 * self.high, 1) + 0.0
        if self.side < 0:
            return f"{-high} to {-low} points lower"
        if self.side:
            return f"{low} to {high} points higher"
        return f"{low} to {high} points, so perhaps the same".replace("-", "−")

    def to_json(self) -> dict[str, float | None]:
        """All of it."""
        return {"p": self.p, "difference": self.difference, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against the control: each of JUDGED, and what may be concluded from both."""

    arm: str
    control: str
    rates: Mapping[str, RateComparison]
    conclusion: Conclusion

    def to_json(self) -> dict[str, Any]:
        """All of it; the numbers of `opt_in` stand beside the names too."""
        rates = {name: rate.to_json() for name, rate in self.rates.items()}
        names = {"arm": self.arm, "control": self.control}
        return {**names, **rates["opt_in"], "rates": rates, "conclusion": self.conclusion.to_json()}


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


def conclude(weights: Mapping[str, int], days: Sequence[Mapping[str, Totals]], level: float = LEVEL) -> Result:
    """Judge complete days, oldest first; the first arm is the control. An arm that a day lacks has no views in it.

    `weights` are the arms' shares, each in relation to the others.

    Changed weights or texts are another experiment: begin its days anew. Raises ValueError for fewer than two arms.
    """
    if len(weights) < 2:
        raise ValueError("An experiment has at least two arms.")
    filled = [{arm: day.get(arm, Totals()) for arm in weights} for day in days]
    views = [{arm: RATES["opt_in"].trials(totals) for arm, totals in day.items()} for day in filled]
    shares_p = shares_p_value(weights, views)
    batches, waiting = _batches(filled)
    control, *others = weights
    judged = [_judge(arm, control, batches, level / len(others) / len(JUDGED), level) for arm in others]
    comparisons = tuple(
        Comparison(arm, control, rates, _conclusion(arm, control, rates, batches, waiting, len(filled)))
        for arm, rates in zip(others, judged, strict=True)
    )
    totals = {arm: _sum(day[arm] for day in views) for arm in weights}
    if shares_p <= SHARES_LEVEL:
        silent = Conclusion("shares_do_not_match", {})
        return Result(totals, shares_p, tuple(replace(arm, conclusion=silent) for arm in comparisons), silent)
    return Result(totals, shares_p, comparisons, _overall(comparisons))


def projection(totals: Totals) -> dict[int, float | None]:
    """Of visitors who would see the banner on so many pages, the share that accepts, by PAGES; None without rates.

    With a, r and s the accepting, refusing and saving first choices per view, and each view like the one before:
    a/(a+r+s) · (1 − (1−a−r−s)^k).
    """
    answered, accepted = totals.rate("interaction").value, totals.rate("consent").value
    if answered is None or accepted is None:
        return dict.fromkeys(PAGES)
    return {pages: accepted * (1 - (1 - answered) ** pages) for pages in PAGES}


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


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Days of which an arm has more choices than counted views."""

    days: int = 0
    arms: Mapping[str, Totals] = field(default_factory=dict)

    @property
    def short(self) -> tuple[str, Totals] | None:
        """The arm that lacks views, and what was counted of it."""
        return next(((arm, totals) for arm, totals in self.arms.items() if totals.accept_all > totals.shown), None)


def _batches(days: Sequence[Mapping[str, Totals]]) -> tuple[list[Mapping[str, Totals]], _Waiting]:
    # Views and choices are counted apart, and a view before midnight may be answered after it. A day with more
    # successes than views waits for the next, for all arms alike.
    batches: list[Mapping[str, Totals]] = []
    waiting = _Waiting()
    for day in days:
        together = {arm: waiting.arms.get(arm, Totals()) + totals for arm, totals in day.items()}
        waiting = _Waiting(waiting.days + 1, together)
        if waiting.short is None:
            batches.append(together)
            waiting = _Waiting()
    return batches, waiting


def _judge(
    arm: str, control: str, batches: Sequence[Mapping[str, Totals]], corrected: float, level: float
) -> dict[str, RateComparison]:
    return {
        name: _compare(
            [tuple(RATES[name].trials(day[of]) for of in (control, arm)) for day in batches], corrected, level
        )
        for name in JUDGED
    }


def _compare(days: Sequence[tuple[Trials, ...]], corrected: float, level: float) -> RateComparison:
    a, b = (_sum(day[of] for day in days) for of in (0, 1))
    found = weigh(((day[0], day[1]) for day in days), corrected)
    p = min(1.0, exp(-found.against) * level / corrected)
    if min(a.successes, b.successes, a.trials - a.successes, b.trials - b.successes) < LEAST_OUTCOMES:
        return RateComparison(p, None, None, None)
    value = b.successes / b.trials - a.successes / a.trials
    return RateComparison(p, value, difference_at(found.low, a, b), difference_at(found.high, a, b))


def _conclusion(
    arm: str,
    control: str,
    rates: Mapping[str, RateComparison],
    batches: Sequence[Mapping[str, Totals]],
    waiting: _Waiting,
    days: int,
) -> Conclusion:
    names: dict[str, str | int | float] = {"arm": arm, "control": control}
    least = min(sum(batch[of].shown for batch in batches) for of in (control, arm))
    few = any(rate.low is None for rate in rates.values())
    if few or days < LEAST_DAYS or least < LEAST_TRIALS:
        if waiting.short and waiting.days > 1:
            lacking, totals = waiting.short
            counted = {"days": waiting.days, "successes": totals.accept_all, "trials": totals.shown}
            return Conclusion("views_lost", names | {"arm": lacking} | counted)
        limits = {"least_trials": LEAST_TRIALS, "least_days": LEAST_DAYS, "least_outcomes": LEAST_OUTCOMES}
        return Conclusion("too_early", names | limits | {"trials": least, "days": days})
    changes = ", ".join(f"{NAMES[name]} {rate.words}" for name, rate in rates.items())
    return Conclusion(_key(rates["opt_in"].side, rates["consent"].side), names | {"changes": changes})


def _key(opt_in: int, consent: int) -> str:
    if opt_in * consent < 0:
        return "depends_on_pages" if opt_in > 0 else "depends_on_pages_later"
    if opt_in == consent == 0:
        return "no_difference"
    return "better" if opt_in + consent > 0 else "worse"


def _overall(comparisons: Sequence[Comparison]) -> Conclusion:
    # The best arm, if one is better than the control; else what holds one back from saying so; else the worst news.
    better = [comparison for comparison in comparisons if comparison.conclusion.key == "better"]
    if better:
        return max(better, key=lambda one: max(rate.low or 0.0 for rate in one.rates.values())).conclusion
    order = ("views_lost", "too_early", "depends_on_pages", "depends_on_pages_later", "no_difference", "worse")
    return min((comparison.conclusion for comparison in comparisons), key=lambda said: order.index(said.key))


def _log_shares(seen: Mapping[str, int], shares: Mapping[str, float]) -> float:
    total = lgamma(SHARES_WEIGHT) - lgamma(SHARES_WEIGHT + sum(seen.values()))
    for key, count in seen.items():
        prior = SHARES_WEIGHT * shares[key]
        total += lgamma(prior + count) - lgamma(prior) - count * log(shares[key])
    return total


def _sum(parts: Iterable[Trials]) -> Trials:
    successes = trials = 0
    for part in parts:
        successes += part.successes
        trials += part.trials
    return Trials(successes, trials)
