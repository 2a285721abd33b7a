"""An alert is rare while nothing happens, and comes when something does."""

import pytest

from consent_server.rates.rules import Totals, Trials, wilson
from consent_server.rates.rules_alerts import longest_silence, never_answered


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


@pytest.mark.parametrize(
    ("hours", "longest"),
    [([], 0), ([(40, 3), (50, 0), (60, 0), (5, 1), (70, 0)], 110), ([(9, 0), (8, 0)], 17), ([(9, 9)], 0)],
)
def test_the_longest_silence_goes_through_hours_without_an_answer(hours: list[tuple[int, int]], longest: int) -> None:
    assert longest_silence(Totals(shown, decisions) for shown, decisions in hours) == longest
