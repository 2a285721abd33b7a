"""Intervals are those that were published, and hold what they are of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rates.rules import Rate, Totals, difference, wilson


def rate_of(successes: int, trials: int) -> Rate:
    return Totals(shown=trials, decisions=successes).rate("interaction")


# Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3 (score, without continuity correction).
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_wilson_interval_is_the_published_one(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_holds_the_rate_and_stays_in_range(case: tuple[int, int]) -> None:
    successes, trials = case
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    other_low, other_high = wilson(trials - successes, trials)
    assert (1 - other_high, 1 - other_low) == pytest.approx((low, high), abs=1e-9)


# Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10 (score, without continuity correction).
@pytest.mark.parametrize(
    ("after", "before", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926), ((0, 10), (0, 20), -0.1611, 0.2775), ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000), ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)  # fmt: skip
def test_the_difference_of_two_rates_is_the_published_one(
    after: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    found = difference(rate_of(*after), rate_of(*before))
    assert found.value == pytest.approx(after[0] / after[1] - before[0] / before[1])
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_the_interval_of_a_ratio_of_counts_holds_it(events: int, others: int) -> None:
    rate = Totals(withdrawals=events, grants_lately=others).rate("withdrawal")
    assert rate.value is not None
    assert rate.low is not None
    assert rate.high is not None
    assert 0 <= rate.low <= rate.value * (1 + 1e-9)
    assert rate.value <= rate.high * (1 + 1e-9)
