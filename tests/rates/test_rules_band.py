"""A rate that stays where it usually is alarms seldom, whatever its weekdays; one that falls does within a week."""

from datetime import date, timedelta
from math import pi, sqrt
from random import Random

import pytest

from consent_server.rates.rules import Trials
from consent_server.rates.rules_band import KNOWN, Move, band_of_day, band_of_week, moves
from tests.support.simulated_site import MONDAY, PATTERNS, fallen, simulated


def at(number: int) -> date:
    return MONDAY + timedelta(days=number)


def alarms(days: dict[date, Trials], first: int, last: int) -> list[date]:
    """What daily looks raise, each with what was known on its day."""
    return [at(number) for number in range(first, last) if moves(days, [at(number)])]


def test_the_band_by_hand() -> None:
    # Eight weeks at 50 %, whose Mondays are at 40: nothing but chance is between days of one weekday.
    days = {at(number): Trials(4000 if number % 7 == 0 else 5000, 10_000) for number in range(56)}
    band = band_of_day(days | {at(56): Trials(4200, 10_000)}, at(56))
    assert band
    spread = sqrt(0.24 / 10_000 * (1 + pi / 2 / 8))
    assert (band.value, band.usual, band.z) == pytest.approx((0.42, 0.4, 0.02 / spread))
    assert (band.low, band.high) == pytest.approx((0.4 - 3 * spread, 0.4 + 3 * spread))


def test_an_odd_day_hides_no_later_one() -> None:
    days = {at(number): Trials(1000 if number == 50 else 5000, 10_000) for number in range(56)}
    band = band_of_day(days | {at(57): Trials(4700, 10_000)}, at(57))
    assert band
    assert band.usual == 0.5
    assert band.z < -3


@pytest.mark.parametrize(
    ("before", "day"),
    [
        ([Trials(50, 100)] * 27, Trials(5, 100)),  # three weeks of this weekday
        ([Trials(50, 99)] * 56, Trials(5, 100)),
        ([Trials(50, 100)] * 56, Trials(5, 99)),
        ([Trials(50, 100)] * 56, Trials(101, 100)),
        ([Trials(101, 100)] * 56, Trials(50, 100)),
        ([Trials(0, 100)] * 56, Trials(50, 100)),
        ([Trials(100, 100)] * 56, Trials(50, 100)),
        ([Trials(5, 100)] * 56, Trials(50, 199)),
        ([], Trials(50, 100)),
    ],
)
def test_too_little_to_judge_by_is_no_verdict(before: list[Trials], day: Trials) -> None:
    days = {at(number): counted for number, counted in enumerate(before)}
    assert band_of_day(days | {at(len(before)): day}, at(len(before))) is None


def test_only_eight_weeks_count() -> None:
    days = {at(number): Trials(10 if number < 50 else 50, 100) for number in range(107)}
    band = band_of_day(days, at(106))
    assert band
    assert band.usual == 0.5


def test_seven_days_are_judged_like_one() -> None:
    days = {at(number): Trials(2 if number >= 56 else 9, 18) for number in range(63)}
    band = band_of_week(days, at(62))
    assert band
    spread = sqrt(0.25 / 126 * (1 + pi / 2 / 8))
    assert (band.value, band.usual, band.z) == pytest.approx((14 / 126, 0.5, (14 / 126 - 0.5) / spread))
    assert moves(days, [at(number) for number in range(57, 63)])


def test_a_fall_that_lasts_is_told_once_and_a_second_one_again() -> None:
    days = {at(number): Trials(5000 if number < 60 else 4000, 10_000) for number in range(130)}
    assert alarms(days, 30, 130) == [at(60)]
    twice = days | {at(number): Trials(5000, 10_000) for number in range(61, 70)}
    assert alarms(twice, 30, 80) == [at(60), at(70)]


def test_a_slow_fall_says_since_when() -> None:
    # 1.1 points below, where chance has 0.5 * 1.09: the sum grows by 1.51 a day, and exceeds 5 on the fourth.
    days = {at(number): Trials(5000 if number < 60 else 4890, 10_000) for number in range(70)}
    assert alarms(days, 30, 70) == [at(63)]
    move = moves(days, [at(63)])[at(63)]
    assert (move.since, move.slow) == (at(60), True)
    assert isinstance(move, Move)


def test_what_lies_further_back_is_not_asked() -> None:
    random = Random(1)
    days = simulated(random, 140, 3_000, 0.02, PATTERNS["weekend"])
    judged = [at(number) for number in range(137, 140)]
    near = {day: counted for day, counted in days.items() if day >= judged[0] - KNOWN}
    assert moves(days, judged) == moves(near, judged)


@pytest.mark.parametrize("trials", [18, 3_000])
def test_a_site_where_nothing_happens_alarms_at_most_five_times_a_year(trials: int) -> None:
    found = 0
    for pattern in PATTERNS.values():
        found += len(alarms(simulated(Random(7), 84 + 91, trials, 0.01, pattern), 84, 84 + 91))
    assert found <= 5


def test_three_points_less_are_found_within_a_week() -> None:
    found, random = 0, Random(8)
    for number in range(40):
        began = 84 + number % 7
        days = fallen(random, simulated(random, 98, 3_000, 0.01, PATTERNS["newsletter"]), at(began), 0.03)
        found += bool(alarms(days, began, began + 7))
    assert found >= 32
