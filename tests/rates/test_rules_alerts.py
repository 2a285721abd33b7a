"""An alert is rare while nothing happens, and comes when something does."""

from math import sqrt
from random import Random

import pytest

from consent_server.rates.rules import Trials, wilson
from consent_server.rates.rules_alerts import SENTENCES, AlertKind, never_answered, usual_band


def test_the_band_is_that_of_the_chart() -> None:
    # By hand, after Laney (2002): p = 0.5, each day's score is (p_i - p) / 0.05, the ranges are all 4,
    # so sigma_z = 4 / 1.128 and the limits are 0.5 -+ 3 * 0.05 * 3.5461.
    before = [Trials(40 if day % 2 else 60, 100) for day in range(20)]
    band = usual_band(before, Trials(50, 100))
    assert band is not None
    assert (band.usual, band.days) == (0.5, 20)
    assert band.spread == pytest.approx(4 / 1.128)
    assert (band.low, band.high) == (0.0, 1.0)
    narrow = usual_band(before, Trials(5600, 10000))
    assert narrow is not None
    half = 3 * (4 / 1.128) * sqrt(0.25 / 10000)
    assert (narrow.low, narrow.high) == pytest.approx((0.5 - half, 0.5 + half))
    assert narrow.z == pytest.approx(0.06 / (half / 3))
    assert narrow.outside


def test_days_that_vary_less_than_chance_are_not_trusted_to() -> None:
    band = usual_band([Trials(50, 100)] * 28, Trials(56, 100))
    assert band is not None
    assert band.spread == 1
    assert not band.outside


@pytest.mark.parametrize(
    ("before", "day"),
    [
        ([Trials(50, 100)] * 13, Trials(5, 100)),
        ([Trials(50, 99)] * 28, Trials(5, 100)),
        ([Trials(50, 100)] * 28, Trials(5, 99)),
        ([Trials(50, 100)] * 28, Trials(101, 100)),
        ([Trials(101, 100)] * 28, Trials(50, 100)),
        ([Trials(0, 100)] * 28, Trials(50, 100)),
        ([Trials(100, 100)] * 28, Trials(50, 100)),
        ([Trials(5, 100)] * 28, Trials(50, 199)),
        ([], Trials(50, 100)),
    ],
)
def test_too_little_to_judge_by_is_no_verdict(before: list[Trials], day: Trials) -> None:
    assert usual_band(before, day) is None


def test_only_the_28_days_before_count() -> None:
    band = usual_band([Trials(10, 100)] * 50 + [Trials(50, 100)] * 28, Trials(50, 100))
    assert band is not None
    assert (band.usual, band.days) == (0.5, 28)


def a_day(random: Random, usual: float, spread: float, weekday: float = 0.0) -> Trials:
    """A day whose own rate lies about the usual one: the normal form of a binomial, good for these numbers."""
    trials = random.randint(200, 2000)
    rate = min(max(random.gauss(usual + weekday, spread), 0.01), 0.99)
    drawn = round(random.gauss(trials * rate, sqrt(trials * rate * (1 - rate))))
    return Trials(min(max(drawn, 0), trials), trials)


@pytest.mark.parametrize(("usual", "spread", "week"), [(0.6, 0.0, 0.0), (0.6, 0.03, 0.0), (0.3, 0.01, 0.04)])
def test_stable_days_seldom_alarm(usual: float, spread: float, week: float) -> None:
    random = Random(9)
    alarms = 0
    for _ in range(2000):
        days = [a_day(random, usual, spread, -week if number % 7 > 4 else 0) for number in range(29)]
        band = usual_band(days[:28], days[28])
        alarms += band is None or band.outside
    assert alarms / 2000 < 0.015


def test_a_drop_alarms() -> None:
    random = Random(10)
    found = 0
    for _ in range(200):
        band = usual_band([a_day(random, 0.6, 0.02) for _ in range(28)], a_day(random, 0.4, 0.02))
        assert band is not None
        assert band.value < band.usual
        found += band.outside
    assert found >= 190


@pytest.mark.parametrize(
    ("shown", "decisions", "usual", "broken"),
    [
        (500, 0, None, True), (499, 0, None, False), (500, 1, None, False), (0, 0, None, False),
        (500, 0, Trials(0, 1000), True), (499, 0, Trials(0, 1000), False),
        (50, 0, Trials(600, 1000), True), (49, 0, Trials(600, 1000), False), (5000, 1, Trials(600, 1000), False),
        # 1 % of 10,000: the lower bound is 0.82 %, so 1,672 views are needed.
        (1671, 0, Trials(100, 10_000), False), (1672, 0, Trials(100, 10_000), True),
        (499, 0, Trials(20, 10), False), (500, 0, Trials(20, 10), True),
    ],
)  # fmt: skip
def test_a_banner_that_nobody_answers_alarms(shown: int, decisions: int, usual: Trials | None, broken: bool) -> None:
    assert never_answered(shown, decisions, usual) is broken


def test_the_chance_of_silence_is_the_stated_one() -> None:
    low, _ = wilson(100, 10_000)
    assert (1 - low) ** 1672 < 1e-6 <= (1 - low) ** 1671


def test_the_sentences_take_what_a_band_tells() -> None:
    said = SENTENCES[AlertKind.OUTSIDE_BAND].format(rate="consent", day="2026-11-01", value=41.2, low=52.0, high=68.4)
    assert said.startswith("The consent rate of 2026-11-01 is 41.2 %, outside its usual 52.0 to 68.4 %.")
    assert "500 times since" in SENTENCES[AlertKind.NEVER_ANSWERED].format(shown=500, since="2026-11-01")
