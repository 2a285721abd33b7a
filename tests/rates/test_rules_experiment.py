"""What is concluded from an experiment: of two rates, of shares, in a sentence that its numbers bear out."""

from bisect import bisect
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate
from math import comb, exp, lgamma, log, prod
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rates.rules import Totals, Trials
from consent_server.rates.rules_experiment import (
    LEVEL,
    PAGES,
    SENTENCES,
    SHARES_LEVEL,
    SHARES_WEIGHT,
    RateComparison,
    Result,
    conclude,
    projection,
    shares_p_value,
)

EVEN = {"control": 1, "other": 1}


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


def day_of(successes: int, views: int, refused: int = 0) -> Totals:
    """So many views of which so many were accepted; the others were left, but for those refused."""
    return Totals(views, successes + refused, successes, refused, granted=successes)


def daily(
    chances: Sequence[float], days: int = 60, views: int = 200, seed: int = 1
) -> Callable[[], list[dict[str, Totals]]]:
    """Experiments of so many arms: each call is one, of daily counts. Half of what is not accepted is refused."""
    random = Random(seed)
    draws = [binomial(views, chance) for chance in chances]
    keys = ["control", *(f"arm-{number}" for number in range(1, len(chances)))]

    def drawn(draw: Callable[[Random], int]) -> Totals:
        successes = draw(random)
        return day_of(successes, views, (views - successes) // 2)

    return lambda: [{key: drawn(draw) for key, draw in zip(keys, draws, strict=True)} for _ in range(days)]


def arms(count: int) -> dict[str, int]:
    return {"control": 1, **{f"arm-{number}": 1 for number in range(1, count)}}


def said(found: Result) -> str:
    return found.conclusion.key


def test_p_never_rises_and_looks_on_the_way_agree_with_the_end() -> None:
    days = daily((0.4, 0.4), days=20, seed=4)()
    looks = [conclude(arms(2), days[:day]).comparisons[0].rates["opt_in"].p for day in range(21)]
    assert looks == sorted(looks, reverse=True)
    assert looks[0] == 1


def test_arms_that_stick_to_a_visitor_are_found_out_by_their_shares() -> None:
    # Such arms would raise false alarms, as one visitor's thirty views all fall on one arm.
    random = Random(5)
    found = [shares_p_value(arms(2), trials_of(pages(random, sticky=True))) <= SHARES_LEVEL for _ in range(50)]
    assert sum(found) >= 30


def trials_of(days: list[dict[str, Totals]]) -> list[dict[str, Trials]]:
    return [{arm: Trials(totals.accept_all, totals.shown) for arm, totals in day.items()} for day in days]


def pages(random: Random, sticky: bool, days: int = 30, visitors: int = 60) -> list[dict[str, Totals]]:
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
        found.append({arm: day_of(*numbers) for arm, numbers in counted.items()})
    return found


def test_a_true_difference_is_found() -> None:
    draw = daily((0.40, 0.47), days=25, seed=6)
    results = [conclude(arms(2), draw()) for _ in range(20)]
    assert [said(result) for result in results].count("better") >= 17
    assert not [result for result in results if said(result) == "worse"]


# What the statistician showed: of each view of the control 20 % accept and 8 % refuse, of the arm's 26 and 26.
# More views are accepted, and on four pages fewer visitors accept.
def test_who_refuses_at_once_never_sees_the_second_page() -> None:
    days = [{"control": day_of(200, 1000, 80), "other": day_of(260, 1000, 260)}] * 14
    found = conclude(EVEN, days)
    assert said(found) == "depends_on_pages"
    assert "depends on how many pages a visitor sees" in found.conclusion.text
    control, other = (projection(days[0][arm]) for arm in ("control", "other"))
    assert [round(control[seen] or 0, 3) for seen in PAGES] == [0.2, 0.344, 0.522, 0.663]
    assert [round(other[seen] or 0, 3) for seen in PAGES] == [0.26, 0.385, 0.473, 0.499]
    swapped = [{"control": day["other"], "other": day["control"]} for day in days]
    assert said(conclude(EVEN, swapped)) == "depends_on_pages_later"


# And the opposite: 25 and 25 against 25 and 10 of 100 is better, though as many views are accepted.
def test_who_refuses_less_wins_though_as_many_views_are_accepted() -> None:
    found = conclude(EVEN, [{"control": day_of(250, 1000, 250), "other": day_of(250, 1000, 100)}] * 14)
    assert said(found) == "better"
    assert found.comparisons[0].rates["opt_in"].side == 0
    assert "the opt-in rate −" in found.conclusion.text
    assert "so perhaps the same" in found.conclusion.text


def test_without_answers_nothing_is_projected() -> None:
    assert projection(Totals()) == dict.fromkeys(PAGES)
    assert projection(Totals(shown=3, decisions=4, accept_all=4)) == dict.fromkeys(PAGES)


def test_a_quiet_day_before_a_busy_one_does_no_harm() -> None:
    # 10 views an arm, then 500 a day at 40 against 43 %: the test before this one found it on day 33.
    quiet = {"control": day_of(4, 10, 3), "other": day_of(6, 10, 2)}
    busy = {"control": day_of(200, 500, 100), "other": day_of(215, 500, 100)}
    found = [said(conclude(EVEN, [quiet, *[busy] * days])) for days in range(40)]
    assert found.index("better") <= 24
    # And 50, then 10,000, then 100: z is 4.3, and no sentence calls an interval without 0 no difference.
    third = {"control": day_of(40, 100, 30), "other": day_of(43, 100, 30)}
    large = {"control": day_of(4000, 10_000, 3000), "other": day_of(4300, 10_000, 3000)}
    assert said(conclude(EVEN, [quiet, large, *[third] * 5])) == "better"


def test_the_sentence_and_the_interval_never_disagree() -> None:
    random = Random(9)
    for _ in range(12):
        draw = daily((0.4, 0.4 + random.choice((-0.06, 0, 0.06))), days=12, views=100, seed=random.randrange(10**6))
        for rate in conclude(arms(2), draw()).comparisons[0].rates.values():
            assert (rate.p <= LEVEL) == (rate.side != 0)


def test_several_arms_and_two_rates_are_corrected_for() -> None:
    day = {"control": day_of(40, 100, 20), "arm-1": day_of(48, 100, 20), "arm-2": day_of(48, 100, 20)}
    two = conclude(arms(2), [{arm: day[arm] for arm in arms(2)}] * 10).comparisons[0].rates["opt_in"]
    three = conclude(arms(3), [day] * 10).comparisons[0].rates["opt_in"]
    assert three.p == pytest.approx(2 * two.p)
    assert width(three) > width(two)


def width(rate: RateComparison) -> float:
    assert rate.low is not None
    assert rate.high is not None
    return rate.high - rate.low


# No paper prints a value of this p-value: so here it is counted out in fractions, as arXiv 2011.03567 has it.
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
    days = [{"control": day_of(200, 500, 50), "other": day_of(300, 440, 50)}] * 14
    found = conclude(EVEN, days)
    assert found.conclusion.key == "shares_do_not_match"
    assert found.comparisons[0].conclusion.key == "shares_do_not_match"
    assert found.to_json()["shares"]["match"] is False
    assert conclude({"control": 50, "other": 44}, days).conclusion.key == "better"


@pytest.mark.parametrize(
    ("day", "days", "key", "text"),
    [
        ((day_of(40, 100, 20), day_of(60, 100, 20)), 6, "too_early",
         "Too early to tell: wait until each arm has 100 views over 7 days, and of both outcomes 10. "
         "So far 600 views over 6 days."),
        ((day_of(1, 10, 1), day_of(2, 10, 1)), 9, "too_early",
         "Too early to tell: wait until each arm has 100 views over 7 days, and of both outcomes 10. "
         "So far 90 views over 9 days."),
        ((Totals(), Totals()), 9, "too_early",
         "Too early to tell: wait until each arm has 100 views over 7 days, and of both outcomes 10. "
         "So far 0 views over 9 days."),
        ((day_of(40, 100, 20), day_of(41, 100, 20)), 10, "no_difference",
         "No difference that is more than chance so far between other and control: the opt-in rate −5.9 to 7.9 points, "
         "so perhaps the same, the consent rate −7.7 to 8.8 points, so perhaps the same."),
        ((day_of(40, 100, 20), day_of(60, 100, 20)), 10, "better",
         "other is better than control: the opt-in rate 11.7 to 28.0 points higher, "
         "the consent rate −0.1 to 16.6 points, so perhaps the same."),
        ((day_of(60, 100, 20), day_of(40, 100, 20)), 10, "worse",
         "other is worse than control: the opt-in rate 11.7 to 28.0 points lower, "
         "the consent rate −16.6 to 0.1 points, so perhaps the same."),
        ((day_of(15, 4, 0), day_of(3, 9, 1)), 9, "views_lost",
         "Nothing can be told of the last 9 days: control has 135 who accepted, and only 36 counted views. "
         "Look for what stops its views from being counted, or opens its banner elsewhere."),
    ],
)  # fmt: skip
def test_a_plain_sentence_says_what_may_be_concluded(
    day: tuple[Totals, Totals], days: int, key: str, text: str
) -> None:
    found = conclude(EVEN, [dict(zip(("control", "other"), day, strict=True))] * days)
    assert (found.conclusion.key, found.conclusion.text) == (key, text)
    assert key in SENTENCES


def test_of_several_arms_the_best_is_named() -> None:
    days = [{"control": day_of(40, 100, 20), "arm-1": day_of(60, 100, 20), "arm-2": day_of(70, 100, 20)}] * 20
    found = conclude(arms(3), days)
    assert [one.conclusion.key for one in found.comparisons] == ["better", "better"]
    assert found.conclusion.params["arm"] == "arm-2"


def test_more_successes_than_views_wait_for_the_next_day() -> None:
    late = [{"control": day_of(3, 2), "other": day_of(1, 9)}, {"control": day_of(1, 8), "other": day_of(1, 1)}]
    together = [{"control": day_of(4, 10), "other": day_of(2, 10)}]
    more = [{"control": day_of(40, 100), "other": day_of(50, 100)}]
    first, second = (conclude(EVEN, days + more).comparisons[0].rates["opt_in"] for days in (late, together))
    assert first == second
    assert conclude(EVEN, late[:1]).comparisons[0].rates["opt_in"].difference is None


@pytest.mark.parametrize(("successes", "told"), [(9, False), (10, True), (90, True), (91, False)])
def test_no_number_below_ten_of_each_outcome(successes: int, told: bool) -> None:
    found = conclude(EVEN, [{"control": day_of(50, 100, 20), "other": day_of(successes, 100, 9)}])
    assert (found.comparisons[0].rates["opt_in"].difference is not None) is told


def test_an_experiment_needs_two_arms() -> None:
    with pytest.raises(ValueError, match="two arms"):
        conclude({"control": 1}, [])
    assert conclude(EVEN, []).conclusion.key == "too_early"
