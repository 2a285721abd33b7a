"""The daily look is honest: against published values, in fractions, by exact expectation, and by simulation."""

from fractions import Fraction
from math import comb, exp, fsum, inf, log
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent_server.rates.rules import Trials
from consent_server.rates.rules_odds import NODES, Evidence, LogLikelihood, difference_at, weigh
from tests.support.simulated_site import drawn


def of_days(*days: tuple[Trials, Trials]) -> LogLikelihood:
    found = LogLikelihood.empty()
    for day in days:
        found.add(*day)
    return found


# Fisher's convictions of twins (1935, JRSS 98:39-82): 10 of 13 and 2 of 17. The odds ratio of largest conditional
# likelihood is 21.30 by R's fisher.test, which prints its inverse: 0.04693661.
def test_the_likeliest_odds_ratio_is_the_published_one() -> None:
    found = of_days((Trials(2, 17), Trials(10, 13)))
    best = max((log(1 / 0.04693661) + step / 10_000 for step in range(-300, 301)), key=found.at)
    assert exp(-best) == pytest.approx(0.04693661, rel=1e-3)


def in_fractions(a: Trials, b: Trials, odds: Fraction) -> Fraction:
    """The likelihood of one day at these odds, over that at equal odds."""
    successes = a.successes + b.successes
    ks = range(max(0, successes - a.trials), min(successes, b.trials) + 1)
    ways = {k: comb(a.trials, successes - k) * comb(b.trials, k) for k in ks}
    whole = sum(ways.values())
    return odds**b.successes / sum((Fraction(way, whole) * odds**k for k, way in ways.items()), Fraction(0))


@given(st.data(), st.integers(0, 40), st.integers(0, 40))
def test_at_the_nodes_it_is_exact(data: st.DataObject, of_a: int, of_b: int) -> None:
    a, b = (Trials(data.draw(st.integers(0, trials)), trials) for trials in (of_a, of_b))
    found = of_days((a, b))
    for node in NODES[::8]:
        expected = in_fractions(a, b, Fraction(exp(node)))
        assert found.at(node) == pytest.approx(log(expected), abs=1e-9)


# Wide sums take only some of their terms.
@pytest.mark.parametrize(("a", "b"), [((400, 900), (430, 1000)), ((900, 3000), (31, 100)), ((3, 900), (5, 100))])
def test_large_days_are_exact_too(a: tuple[int, int], b: tuple[int, int]) -> None:
    found = of_days((Trials(*a), Trials(*b)))
    successes = a[0] + b[0]
    ks = range(max(0, successes - a[1]), min(successes, b[1]) + 1)
    ways = [comb(a[1], successes - k) * comb(b[1], k) for k in ks]
    central = log(sum(ways))
    logs = [log(way) - central for way in ways]
    for node in NODES[8:34:5]:
        whole = fsum(exp(value + node * k) for k, value in zip(ks, logs, strict=True))
        assert found.at(node) == pytest.approx(node * b[0] - log(whole), abs=1e-9)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 24))
def test_without_a_difference_the_evidence_is_one_on_average(of_a: int, of_b: int, successes: int) -> None:
    successes = min(successes, of_a + of_b)
    ks = range(max(0, successes - of_a), min(successes, of_b) + 1)
    average = sum(
        comb(of_a, successes - k)
        * comb(of_b, k)
        / comb(of_a + of_b, successes)
        * exp(of_days((Trials(successes - k, of_a), Trials(k, of_b))).average())
        for k in ks
    )
    assert average == pytest.approx(1, abs=1e-6)


TRIALS = st.integers(0, 60).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


# Days that contradict each other, each beyond doubt.
@example([((0, 37), (14, 14)), ((38, 38), (0, 42))])
@given(st.lists(st.tuples(TRIALS, TRIALS), max_size=4))
def test_the_interval_leaves_out_equal_odds_exactly_where_the_test_does(
    days: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    found = weigh(((Trials(*a), Trials(*b)) for a, b in days), 0.05)
    assert (not found.low <= 0 <= found.high) == (found.against > log(20))


def test_before_the_first_day_nothing_is_known() -> None:
    assert weigh([], 0.05) == Evidence(0.0, -inf, inf)


def test_a_log_odds_ratio_is_a_difference_of_rates() -> None:
    a, b = Trials(400, 1000), Trials(450, 1000)
    odds = log(0.45 / 0.55) - log(0.4 / 0.6)
    assert difference_at(odds, a, b) == pytest.approx(0.05)
    assert difference_at(0, a, b) == pytest.approx(0)
    assert (difference_at(-inf, a, b), difference_at(inf, a, b)) == (-1, 1)


def simulated(random: Random, days: int, views: int, of_a: float, of_b: float) -> list[tuple[Trials, Trials]]:
    """Days whose level and size differ: the odds ratio alone stays."""
    found = []
    for _ in range(days):
        size, shift = max(round(views * random.lognormvariate(0, 0.5)), 2), random.choice((0.5, 1.0, 1.5))
        levels = [odds * shift / (1 + odds * shift) for odds in (of_a / (1 - of_a), of_b / (1 - of_b))]
        found.append(tuple(Trials(drawn(random, size, level), size) for level in levels))
    return found  # type: ignore[return-value]


def test_equal_arms_looked_at_daily_seldom_differ_and_a_true_difference_stays_in_the_interval() -> None:
    random, false, missed, true = Random(2), 0, 0, log(0.5 / 0.5) - log(0.4 / 0.6)
    for _ in range(15):
        false += weigh(simulated(random, 14, 40, 0.4, 0.4), 0.05).against > log(20)
        found = weigh(simulated(random, 14, 40, 0.4, 0.5), 0.05)
        missed += not found.low <= true <= found.high
    assert false <= 3  # 0.75 expected at most; more than 3 in one of two hundred
    assert missed <= 3
