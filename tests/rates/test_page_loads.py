"""What a vendor sees of page views: unbiased, and with an interval that knows that days differ."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.core.context import Context
from consent_server.decisions.rules_tally import SHOWN, CounterName, counters_of, of_page_load
from consent_server.rates.rules import Trials, wilson
from consent_server.rates.rules_page_loads import over_days, page_loads
from consent_server.rates.rules_report import Asked, Counts
from tests.support.people import Person
from tests.support.rates_page import api, count, count_days, text_of

ASKED = {"n1": Asked({}, {"google-ads": "", "meta-pixel": ""}), "n2": Asked({}, {"google-ads": ""})}


def counts(day: str, notice: str, **events: int) -> Counts:
    """Page loads of a day by their outcome's text."""
    counted = Counter[CounterName]()
    for text, number in events.items():
        for counter in counters_of(text.replace("__", ":::").replace("google", "google-ads")):
            counted[counter] += number
    return Counts(day, notice, counted)


def test_a_vendor_is_measured_under_the_notices_that_ask_for_it() -> None:
    found = page_loads(
        [
            counts("2026-11-01", "n1", page_answered__google=6),
            counts("2026-11-01", "n2", page_unanswered=4),
            counts("2026-11-02", "n2", page_unanswered__google=2),
        ],
        ASKED,
    ).to_json()
    assert found["sampled"] == 12
    ads, pixel = found["vendors"]["google-ads"], found["vendors"]["meta-pixel"]
    assert [ads[name] for name in ("sampled", "granted", "refused", "unanswered")] == [12, 8, 0, 4]
    assert [pixel[name] for name in ("sampled", "granted", "refused", "unanswered")] == [6, 0, 6, 0]
    assert ads["rate"]["value"] == 8 / 12


def test_nothing_sampled_is_no_number() -> None:
    assert over_days([]).value is None
    assert over_days([Trials(0, 0)] * 9).value is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: Trials(min(pair), max(pair)))))
def test_the_interval_holds_the_rate_and_is_never_narrower_than_chance(days: list[Trials]) -> None:
    rate = over_days(days)
    if rate.value is None or rate.low is None or rate.high is None:
        assert sum(day.trials for day in days) == 0
        return
    low, high = wilson(sum(day.successes for day in days), sum(day.trials for day in days))
    assert 0 <= rate.low <= low <= high <= rate.high <= 1


def test_alike_page_loads_of_a_day_make_the_interval_wider() -> None:
    # Each day is a campaign of its own: all grant, or none.
    days = [Trials(50 * (number % 2), 50) for number in range(28)]
    rate = over_days(days)
    assert rate.value == 0.5
    assert rate.low == pytest.approx(0.5 - 2.0518 * (28 / 27 * 28 * 25**2) ** 0.5 / 1400, abs=1e-3)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    # 200 months, of 400 page loads a day whose days vary by 3 points: 95 of 100 are to hold it, Wilson's hold 65.
    dice, held, held_by_chance = Random(15), 0, 0
    for _ in range(200):
        days = []
        for _ in range(28):
            granted = 0.37 + dice.gauss(0, 0.03)
            drawn = round(dice.gauss(400 * granted, (400 * granted * (1 - granted)) ** 0.5))
            days.append(Trials(min(max(drawn, 0), 400), 400))
        rate = over_days(days)
        assert rate.low is not None
        assert rate.high is not None
        held += rate.low <= 0.37 <= rate.high
        low, high = wilson(sum(day.successes for day in days), 28 * 400)
        held_by_chance += low <= 0.37 <= high
    assert held >= 183
    assert held_by_chance < 170


@pytest.fixture
def sampled(services: Context, notice: str) -> None:
    """Ten page loads on each of three days, and more today."""
    loads = {of_page_load(True, ["google-ads"]): 4, of_page_load(True, []): 4, of_page_load(False, []): 2}
    count_days(services, notice, ["2026-11-20", "2026-11-21", "2026-11-22"], lambda _: loads, over=False)
    count(services, notice, "2026-11-21", {SHOWN: 20})
    count_days(services, notice, ["2026-11-23"], lambda _: loads, over=False)


@pytest.mark.usefixtures("sampled")
def test_the_page_says_what_a_vendor_sees_of_days_that_are_over(marketer: Person) -> None:
    said = api(marketer, "?from=2026-11-20&to=2026-11-23")["page_loads"]
    ads = said["vendors"]["google-ads"]
    assert (said["sampled"], ads["granted"], ads["refused"], ads["unanswered"]) == (30, 12, 12, 6)
    assert ads["rate"]["value"] == 0.4
    page = text_of(marketer.open("/console/sites/shop/rates?from=2026-11-20&to=2026-11-23").text)
    assert "Google Ads sees 40.0 % of page views" in page.replace("\N{NARROW NO-BREAK SPACE}", " ")
    whole = marketer.browser.get("/v1/sites/shop/rates.csv?from=2026-11-20&to=2026-11-23").text
    assert "page_loads.vendors.google-ads.rate.value" in whole.splitlines()[0]
