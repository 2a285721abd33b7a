"""A rate that falls with a new notice, and all that is none of the notice's doing."""

from datetime import date, timedelta
from random import Random

import pytest

from consent_server.rates.rules import Totals
from consent_server.rates.rules_drop import Effect, drops
from tests.support.simulated_site import PATTERNS, fallen, simulated, totals_of

MONDAY = date(2026, 11, 2)
TODAY = MONDAY + timedelta(days=20)


def day(accepted: int, decisions: int = 600, shown: int = 1000) -> Totals:
    return Totals(shown, decisions, accepted, decisions - accepted, granted=accepted)


def at(number: int) -> date:
    return MONDAY + timedelta(days=number)


def told(accepted: list[int], published: int = 7, last: date = TODAY) -> list[Effect]:
    days = {at(number): day(count) for number, count in enumerate(accepted)}
    return drops(days, [("old", MONDAY - timedelta(days=90)), ("new", at(published))], last)


def test_a_fall_on_the_day_of_a_notice() -> None:
    found = told([300] * 7 + [240] * 14)
    assert [(one.rate, one.notice, one.day) for one in found] == [("consent", "new", at(7)), ("opt_in", "new", at(7))]
    assert found[0].before.value == 0.5
    assert found[0].after.value == 0.4
    assert found[0].change.value == pytest.approx(-0.1)


def test_a_notice_of_the_evening_shows_on_the_next_day() -> None:
    assert told([300] * 8 + [240] * 13)


@pytest.mark.parametrize(
    "accepted",
    [
        [300] * 21,
        [240] * 7 + [300] * 14,  # a rise
        [300] * 4 + [240] * 17,  # a fall that began before
        [300] * 11 + [240] * 10,  # and one that began later
        [300] * 7 + [295] * 14,  # too small to speak of
        [300, 300, 300, 300, 300, 240, 240] * 3,  # the weekend of every week
    ],
)
def test_what_is_none(accepted: list[int]) -> None:
    assert told(accepted) == []


def test_on_the_first_day_of_a_notice_one_knows_enough_when_many_chose() -> None:
    assert told([300] * 7 + [200], last=at(7))
    few = {at(number): day(3, 6, 10) for number in range(7)} | {at(7): day(1, 6, 10)}
    assert drops(few, [("new", at(7))], at(7)) == []


def test_without_a_week_before_there_is_nothing_to_compare() -> None:
    assert drops({at(number): day(300) for number in range(7)}, [("first", MONDAY)], TODAY) == []
    assert drops({}, [], TODAY) == []


def test_of_two_notices_the_one_that_it_began_with() -> None:
    days = {at(number): day(300 if number < 7 else 240) for number in range(21)}
    found = drops(days, [("first", at(7)), ("second", at(9))], TODAY)
    assert {one.notice for one in found} == {"first"}


def test_views_that_were_lost_make_no_rate() -> None:
    days = {at(number): day(300, 600, 500 if number < 7 else 1000) for number in range(14)}
    assert drops(days, [("new", at(7))], at(13)) == []


# What the statistician showed: no noise, any number of visitors, and yet nothing was told.
@pytest.mark.parametrize("points", [3, 4, 5])
@pytest.mark.parametrize("weeks", [1, 8])
def test_a_fall_on_a_monday_is_not_hidden_by_weekends(points: int, weeks: int) -> None:
    published = 7 * weeks
    days = {
        at(number): day(600 * (60 - 3 * (number % 7 > 4) - points * (number >= published)), 60_000, 100_000)
        for number in range(published + 7)
    }
    found = drops(days, [("new", at(published))], at(published + 6))
    assert [one.rate for one in found] == ["consent", "opt_in"]
    assert found[0].change.days


def test_a_harmless_notice_is_seldom_blamed_and_a_fall_with_one_mostly_told() -> None:
    random, published = Random(3), at(63)
    told_of = {0.0: 0, 0.05: 0}
    for fall in told_of:
        for _ in range(40):
            site = simulated(random, 70, 5_000, 0.01, PATTERNS["weekend"], first=MONDAY)
            site = fallen(random, site, published, fall) if fall else site
            days = {day: totals_of(counted) for day, counted in site.items()}
            told_of[fall] += any(one.rate == "consent" for one in drops(days, [("new", published)], at(69)))
    assert told_of[0.0] <= 2
    assert told_of[0.05] >= 33
