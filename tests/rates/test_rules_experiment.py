"""The daily look is honest: against published values, by exact expectation, and by simulation."""

from bisect import bisect
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, product
from math import comb, exp, lgamma, log, pi, prod, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rates.rules import Trials
from consent_server.rates.rules_experiment import (
    LEVEL,
    SENTENCES,
    SHARES_LEVEL,
    SHARES_WEIGHT,
    conclude,
    evidence,
    interval,
    log_e,
    shares_p_value,
)
from tests.support.figures import Figure

EVEN = {"control": 1, "other": 1}
THETA = st.floats(0.01, 0.99)


def binomial(trials: int, chance: float) -> Callable[[Random], int]:
    """Exact draws, by inversion: random.binomialvariate is of Python 3.12."""
    logs = (
        lgamma(trials + 1) - lgamma(k + 1) - lgamma(trials - k + 1) + k * log(chance) + (trials - k) * log(1 - chance)
        for k in range(trials + 1)
    )
    limits = list(accumulate(map(exp, logs)))
    return lambda random: min(bisect(limits, random.random()), trials)


def upper_bound(found: int, of: int, confidence: float = 0.99) -> float:
    """The exact one-sided bound of a proportion (Clopper and Pearson 1934), by bisection."""
    low, high = found / of, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        tail = sum(comb(of, k) * middle**k * (1 - middle) ** (of - k) for k in range(found + 1))
        low, high = (middle, high) if tail > 1 - confidence else (low, middle)
    return high


# safestats, the package of the method's authors (github.com/AlexanderLyNL/safestats): its own test of the plain
# process under a Beta(1, 1) prior has blocks of one and one, successes (1, 0) twice, and the values 1 and 16/9.
def test_the_evidence_is_that_of_the_authors_package() -> None:
    pairs = [(Trials(1, 1), Trials(0, 1)), (Trials(1, 1), Trials(0, 1))]
    assert [exp(value) for value in evidence(pairs, prior=1)] == pytest.approx([1, 16 / 9])


def test_the_first_day_tells_nothing() -> None:
    assert evidence([(Trials(90, 100), Trials(10, 100))]) == [0]


def chance_of(successes: int, trials: int, theta: float) -> float:
    return comb(trials, successes) * theta**successes * (1 - theta) ** (trials - successes)


@given(st.integers(0, 6), st.integers(0, 6), THETA, THETA, THETA)
def test_without_a_difference_the_evidence_is_at_most_one_on_average(
    of_a: int, of_b: int, theta_a: float, theta_b: float, common: float
) -> None:
    average = sum(
        chance_of(a, of_a, common)
        * chance_of(b, of_b, common)
        * exp(log_e(Trials(a, of_a), Trials(b, of_b), theta_a, theta_b))
        for a, b in product(range(of_a + 1), range(of_b + 1))
    )
    assert average <= 1 + 1e-9


def daily(
    chances: Sequence[float], days: int = 60, views: int = 200, seed: int = 1
) -> Callable[[], list[dict[str, Trials]]]:
    """Experiments of so many arms: each call is one, of daily counts."""
    random = Random(seed)
    draws = [binomial(views, chance) for chance in chances]
    keys = ["control", *(f"arm-{number}" for number in range(1, len(chances)))]
    return lambda: [
        {key: Trials(draw(random), views) for key, draw in zip(keys, draws, strict=True)} for _ in range(days)
    ]


def arms(count: int) -> dict[str, int]:
    return {"control": 1, **{f"arm-{number}": 1 for number in range(1, count)}}


@pytest.mark.slow
@pytest.mark.parametrize(("chances", "seed"), [((0.4, 0.4), 1), ((0.03, 0.03), 2), ((0.4, 0.4, 0.4), 3)])
def test_equal_arms_looked_at_daily_raise_false_alarms_no_oftener_than_stated(
    chances: tuple[float, ...], seed: int, figure: Figure
) -> None:
    # p is the smallest of all days, so one look at the end finds what any of sixty daily looks would have.
    draw = daily(chances, seed=seed)
    experiments = figure(1000, release=2000)
    alarms = sum(
        any(found.p <= LEVEL for found in conclude(arms(len(chances)), draw()).comparisons) for _ in range(experiments)
    )
    assert upper_bound(alarms, experiments) <= LEVEL


def test_p_never_rises_and_looks_on_the_way_agree_with_the_end() -> None:
    days = daily((0.4, 0.4), seed=4)()
    looks = [conclude(arms(2), days[:day]).comparisons[0].p for day in range(61)]
    assert looks == sorted(looks, reverse=True)
    assert looks[0] == 1


@pytest.mark.slow
def test_visitors_who_see_the_banner_often_do_not_raise_false_alarms(figure: Figure) -> None:
    # Most choose at once or soon, some never and see it on thirty pages: views of one visitor are far from
    # independent. It is harmless because the browser draws the arm anew for each view.
    random, experiments = Random(5), figure(300, release=400)
    alarms = sum(conclude(arms(2), pages(random, sticky=False)).comparisons[0].p <= LEVEL for _ in range(experiments))
    assert upper_bound(alarms, experiments) <= LEVEL


def test_arms_that_stick_to_a_visitor_are_found_out_by_their_shares() -> None:
    # Such arms would raise false alarms, as one visitor's thirty views all fall on one arm.
    random = Random(5)
    found = [conclude(arms(2), pages(random, sticky=True)).conclusion.key for _ in range(50)]
    assert found.count("shares_do_not_match") >= 30


def pages(random: Random, sticky: bool, days: int = 30, visitors: int = 60) -> list[dict[str, Trials]]:
    found = []
    for _ in range(days):
        counted = {"control": [0, 0], "arm-1": [0, 0]}
        for _ in range(visitors):
            ignores = random.random() < 0.1
            arm = random.choice(("control", "arm-1"))
            for _ in range(30 if ignores else 3):
                arm = arm if sticky else random.choice(("control", "arm-1"))
                counted[arm][1] += 1
                if not ignores and random.random() < 0.5:
                    counted[arm][0] += 1
                    break
        found.append({arm: Trials(*numbers) for arm, numbers in counted.items()})
    return found


def test_a_true_difference_is_found() -> None:
    draw = daily((0.40, 0.45), seed=6)
    results = [conclude(arms(2), draw()) for _ in range(300)]
    found = [result.conclusion for result in results if result.conclusion.key == "better"]
    assert len(found) >= 0.9 * 300
    assert {conclusion.params["arm"] for conclusion in found} == {"arm-1"}
    assert not [result for result in results if result.conclusion.key == "worse"]


@pytest.mark.slow
def test_the_interval_holds_on_all_days_at_once() -> None:
    draw, misses = daily((0.40, 0.45), seed=7), 0
    for _ in range(500):
        days = draw()
        a = accumulate(
            (day["control"] for day in days), lambda one, other: Trials(one[0] + other[0], one[1] + other[1])
        )
        b = accumulate((day["arm-1"] for day in days), lambda one, other: Trials(one[0] + other[0], one[1] + other[1]))
        ends = (interval(*pair)[1:] for pair in zip(a, b, strict=True))
        misses += any(not low <= 0.05 <= high for low, high in ends)
    assert upper_bound(misses, 500) <= LEVEL


def test_the_interval_is_wider_than_one_for_a_single_look_but_not_by_much() -> None:
    value, low, high = interval(Trials(2000, 5000), Trials(2250, 5000))
    single = 1.96 * sqrt(0.4 * 0.6 / 5000 + 0.45 * 0.55 / 5000)
    assert value == pytest.approx(0.05)
    assert 1.4 < (high - low) / 2 / single < 1.6


# No paper prints a value of this interval. So it is made again here in two other ways, both of arXiv 2103.06476: by the
# formula as it stands there with its best ρ (−ρ²t − 1 is the lower branch of Lambert's W at −α²/e), in decimal
# arithmetic; and by what the formula was solved from, a Gaussian mixture that reaches 1/α at the ends of the interval.
COUNTED = Trials(2000, 5000), Trials(2250, 5000)


def paper_rho2(alpha: Decimal, tightest: int) -> Decimal:
    w = Decimal(-10)
    for _ in range(60):
        w -= (w * w.exp() + alpha**2 / Decimal(1).exp()) / ((w + 1) * w.exp())
    return (-w - 1) / tightest


@pytest.mark.parametrize(
    ("alpha", "rho2", "half"), [("0.05", "0.00082120", "0.029970"), ("0.025", "0.00097529", "0.032379")]
)
def test_the_interval_is_that_of_the_paper(alpha: str, rho2: str, half: str) -> None:
    level, (a, b) = Decimal(alpha), COUNTED
    rho = paper_rho2(level, 10_000)
    assert f"{rho:.8f}" == rho2
    # The means that the variance is made of have half a success and half a failure more.
    means = [(Decimal(one.successes) + Decimal("0.5")) / (one.trials + 1) for one in COUNTED]
    t = Decimal(a.trials + b.trials)
    sigma2 = t * sum(m * (1 - m) / one.trials for m, one in zip(means, COUNTED, strict=True))
    margin = (sigma2 * 2 * (t * rho + 1) / (t**2 * rho) * ((t * rho + 1).sqrt() / level).ln()).sqrt()
    assert f"{margin:.6f}" == half
    value, low, high = interval(a, b, float(level))
    assert (value - low, high - value) == pytest.approx((float(margin), float(margin)), rel=1e-9)


def test_at_the_ends_of_the_interval_the_mixture_reaches_one_over_the_level() -> None:
    value, low, _ = interval(*COUNTED)
    t, rho2 = 10_000, float(paper_rho2(Decimal("0.05"), 10_000))
    sigma = sqrt(t * sum((m := (one[0] + 0.5) / (one[1] + 1)) * (1 - m) / one[1] for one in COUNTED))
    total, step = t * (value - low) / sigma, 1e-5
    mixed = sum(
        exp(x * total - t * x * x / 2 - x * x / (2 * rho2)) * step / sqrt(2 * pi * rho2)
        for x in (step * place for place in range(-20_000, 20_000))
    )
    assert mixed == pytest.approx(1 / 0.05, rel=1e-6)


# Nor of this p-value: it is counted out in fractions, by the Dirichlet-multinomial of arXiv 2011.03567.
@pytest.mark.parametrize(
    ("seen", "p"), [((600, 500), 0.13374), ((620, 480), 0.013552), ((640, 460), 0.00063853), ((250, 250), 1.0)]
)
def test_the_share_test_is_exact(seen: tuple[int, int], p: float) -> None:
    def rising(start: int, times: int) -> int:
        return prod(range(start, start + times))

    def odds(a: int, b: int) -> Fraction:
        return Fraction(rising(500, a) * rising(500, b) * 2 ** (a + b), rising(1000, a + b))

    found = shares_p_value(EVEN, [dict(zip(("control", "other"), (Trials(0, n) for n in seen), strict=True))])
    assert found == pytest.approx(float(min(Fraction(1), 1 / odds(*seen))), rel=1e-9)
    assert found == pytest.approx(p, rel=1e-4)
    # It is fair: with the weights as set the odds are 1 on average, exactly.
    assert sum(comb(60, a) * odds(a, 60 - a) for a in range(61)) == 2**60


def urn(draws: Sequence[int], weights: Sequence[float]) -> float:
    """The evidence against the shares, one view at a time: what the views so far foretell, over what the weights do."""
    seen = [SHARES_WEIGHT * weight for weight in weights]
    total = 0.0
    for arm in draws:
        total += log(seen[arm] / sum(seen) / weights[arm])
        seen[arm] += 1
    return total


@given(st.lists(st.integers(0, 2), min_size=1, max_size=200))
def test_the_share_test_is_that_of_the_urn(draws: list[int]) -> None:
    three = {"0": 2, "1": 1, "2": 1}
    days = [{str(arm): Trials(0, draws.count(arm)) for arm in range(3)}]
    assert shares_p_value(three, days) == pytest.approx(min(1, exp(-urn(draws, (0.5, 0.25, 0.25)))), rel=1e-6)


def test_true_shares_looked_at_daily_are_seldom_called_false() -> None:
    random, split = Random(8), binomial(200, 2 / 3)
    weighted = {"control": 2, "other": 1}

    def p() -> float:
        shown = (split(random) for _ in range(60))
        return shares_p_value(weighted, [{"control": Trials(0, a), "other": Trials(0, 200 - a)} for a in shown])

    smallest = [p() for _ in range(2000)]
    assert sum(one <= SHARES_LEVEL for one in smallest) <= 8  # 2 expected at most; more than 8 in 1 of 4,000 runs
    assert upper_bound(sum(one <= 0.05 for one in smallest), 2000) <= 0.05


def test_shares_that_do_not_match_silence_the_result() -> None:
    days = [{"control": Trials(200, 500), "other": Trials(300, 440)}] * 14
    found = conclude(EVEN, days)
    assert found.conclusion.key == "shares_do_not_match"
    assert found.comparisons[0].conclusion.key == "shares_do_not_match"
    assert found.to_json()["shares"]["match"] is False
    assert conclude({"control": 50, "other": 44}, days).conclusion.key == "better"


@pytest.mark.parametrize(
    ("day", "days", "key", "text"),
    [
        ((Trials(40, 100), Trials(60, 100)), 6, "too_early",
         "Too early to tell: wait until each arm has 100 views over 7 days. So far 600 over 6."),
        ((Trials(1, 10), Trials(2, 10)), 9, "too_early",
         "Too early to tell: wait until each arm has 100 views over 7 days. So far 90 over 9."),
        ((Trials(0, 0), Trials(0, 0)), 9, "too_early",
         "Too early to tell: wait until each arm has 100 views over 7 days. So far 0 over 9."),
        ((Trials(40, 100), Trials(41, 100)), 10, "no_difference",
         "No difference that is more than chance so far between other and control. "
         "If there is one, it lies between -6.3 and 8.3 points."),
        ((Trials(40, 100), Trials(60, 100)), 10, "better", "other is better than control by 12.7 to 27.3 points."),
        ((Trials(60, 100), Trials(40, 100)), 10, "worse", "other is worse than control by 12.7 to 27.3 points."),
    ],
)  # fmt: skip
def test_a_plain_sentence_says_what_may_be_concluded(
    day: tuple[Trials, Trials], days: int, key: str, text: str
) -> None:
    found = conclude(EVEN, [dict(zip(("control", "other"), day, strict=True))] * days)
    assert (found.conclusion.key, found.conclusion.text) == (key, text)
    assert key in SENTENCES


def test_of_several_arms_the_best_is_named() -> None:
    days = [{"control": Trials(40, 100), "arm-1": Trials(60, 100), "arm-2": Trials(70, 100)}] * 20
    found = conclude(arms(3), days)
    assert [one.conclusion.key for one in found.comparisons] == ["better", "better"]
    assert found.conclusion.params["arm"] == "arm-2"


def test_more_successes_than_trials_wait_for_the_next_day() -> None:
    late = [{"control": Trials(3, 2), "other": Trials(1, 9)}, {"control": Trials(1, 8), "other": Trials(1, 1)}]
    together = [{"control": Trials(4, 10), "other": Trials(2, 10)}]
    more = [{"control": Trials(40, 100), "other": Trials(50, 100)}]
    assert conclude(EVEN, late + more).comparisons[0].p == conclude(EVEN, together + more).comparisons[0].p
    assert conclude(EVEN, late[:1]).comparisons[0].difference is None


def test_an_experiment_needs_two_arms() -> None:
    with pytest.raises(ValueError, match="two arms"):
        conclude({"control": 1}, [])
    assert conclude(EVEN, []).conclusion.key == "too_early"
