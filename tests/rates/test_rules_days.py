"""The ups and downs of a rate are learnt from its days, and a site where nothing happens seldom differs from itself."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import sqrt
from random import Random

import pytest

from consent_server.rates.rules import Difference, Rate, Trials, difference, wilson
from consent_server.rates.rules_days import HISTORY_DAYS, DayToDay, day_to_day, student
from tests.support.simulated_site import MONDAY, PATTERNS, Pattern, fallen, simulated


def at(number: int) -> date:
    return MONDAY + timedelta(days=number)


def rate_over(days: dict[date, Trials], span: Sequence[date]) -> Rate:
    successes, trials = (sum(days[day][part] for day in span) for part in (0, 1))
    return Rate(successes / trials, *wilson(successes, trials), "")


def compared(days: dict[date, Trials], length: int) -> tuple[Difference, Difference]:
    """The last days with as many before: by chance alone, and by what the last eight weeks show."""
    keys = sorted(days)
    after, before = keys[-length:], keys[-2 * length : -length]
    usual = day_to_day({day: days[day] for day in keys[-HISTORY_DAYS:]}, after[0])
    assert usual
    rates = rate_over(days, after), rate_over(days, before)
    return difference(*rates), difference(*rates, usual.swing(after, before))


# Any table of Student's t.
@pytest.mark.parametrize(("freedom", "t"), [(5, 2.5706), (10, 2.2281), (30, 2.0423), (48, 2.0106), (10**6, 1.9600)])
def test_the_factor_is_that_of_students_t(freedom: int, t: float) -> None:
    assert student(freedom) == pytest.approx(t, abs=0.001)


def test_by_hand() -> None:
    # Two weeks at 50 % of a million each; one Monday lies a point above the other, all else is equal. What is left of
    # each Monday is half a point, so the variance is 2 * 0.005² / 7 less chance, 0.25 / a million.
    days = {at(number): Trials(510_000 if number == 7 else 500_000, 1_000_000) for number in range(14)}
    usual = day_to_day(days, at(14))
    assert usual
    assert (usual.days, usual.freedom) == (14, 7)
    assert usual.variance == pytest.approx(2 * 0.005**2 / 7 - 0.25e-6, rel=0.01)
    assert usual.correlation == pytest.approx(1 / sqrt(14), abs=0.01)  # nothing but the standard error
    assert usual.weekdays[0] == pytest.approx(0.005 - 0.01 / 14, abs=1e-6)


def test_another_level_from_the_border_on_is_no_up_or_down() -> None:
    days = {at(number): Trials(4000 if number > 48 else 6000, 10_000) for number in range(56)}
    usual = day_to_day(days, at(49))
    assert usual
    assert (usual.variance, usual.freedom) == (0, 56 - 7 - 1)
    inside = day_to_day(days, at(56))
    assert inside
    assert inside.variance > 0.06**2


@pytest.mark.parametrize("days", [0, 7, 11])
def test_of_too_few_days_nothing_is_learnt(days: int) -> None:
    assert day_to_day({at(number): Trials(60, 100) for number in range(days)}, at(7)) is None


def test_days_of_one_outcome_or_with_lost_views_teach_nothing() -> None:
    assert day_to_day({at(number): Trials(0, 100) for number in range(56)}, at(49)) is None
    lost = {at(number): Trials(101, 100) for number in range(30)}
    assert day_to_day(lost | {at(number): Trials(60, 100) for number in range(30, 36)}, at(36)) is None


def test_the_variance_of_many_days() -> None:
    usual = DayToDay(56, 10**6, 0.01**2, 0.5, {0: 0.0})
    # By hand, of three days: (3 + 2 * 2 * 0.5 + 2 * 0.25) / 9.
    half = usual.swing([at(0), at(1), at(2)], [at(0), at(1), at(2)]).half
    assert half == pytest.approx(1.96 * 0.01 * sqrt(2 * 5.5 / 9), rel=1e-4)


def test_what_the_weekdays_of_two_spans_make_is_no_difference() -> None:
    days = {at(n): Trials(50_000 if n % 7 > 4 else 60_000, 100_000) for n in range(56)}
    weekend, before = [at(54), at(55)], [at(52), at(53)]
    usual = day_to_day(days, at(54))
    assert usual
    change = difference(rate_over(days, weekend), rate_over(days, before), usual.swing(weekend, before))
    assert change.value == pytest.approx(-0.1)
    assert not change.sure


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_a_site_where_nothing_happens_seldom_differs_from_itself(pattern: Pattern) -> None:
    # One week with another, 50,000 trials a day that vary by 3 points: chance alone calls nine of ten a difference.
    random, by_chance, by_days = Random(5), 0, 0
    for _ in range(60):
        chance, days = compared(simulated(random, HISTORY_DAYS, 50_000, 0.03, pattern), 7)
        by_chance, by_days = by_chance + chance.sure, by_days + days.sure
    assert by_chance > 48
    assert by_days <= 7  # 3 expected at 5 %; more than 7 in one of a hundred


def test_a_change_of_five_points_is_found() -> None:
    random, found = Random(6), 0
    for _ in range(60):
        days = simulated(random, HISTORY_DAYS, 5_000, 0.01, PATTERNS["weekend"])
        found += compared(fallen(random, days, at(49), 0.05), 7)[1].sure
    assert found > 54
