"""Rates are what their formulas say, intervals what was published, and small cells stay untold."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.decisions.rules import Action
from consent_server.decisions.rules_tally import (
    ARRIVAL,
    PREFETCH,
    ROBOT,
    SHOWN,
    SHOWN_AGAIN,
    CounterName,
    Kind,
    Measure,
    Outcome,
    of_conversion,
)
from consent_server.rates.rules import AGAIN_RATES, RATES, Difference, Rate, Totals, difference, wilson
from consent_server.rates.rules_compare import History, compare
from consent_server.rates.rules_report import Asked, Counts, Report, figures, report
from consent_server.rates.rules_small_cells import OTHER, merge_small

ALL = Outcome(Kind.FIRST, Action.ACCEPT_ALL, ("advertising", "analytics"), ("google-ads", "google-analytics"))
CHOICES = CounterName(Measure.DECISIONS)
NONE = Outcome(Kind.FIRST, Action.REFUSE_ALL)
SOME = Outcome(Kind.FIRST, Action.SAVE, ("analytics",), ("google-analytics",))
BOTH = Asked(dict.fromkeys(("analytics", "advertising"), ""), dict.fromkeys(("google-analytics", "google-ads"), ""))
Units = Mapping[tuple[int, str], Mapping[str, tuple[int, int]]]
ASKED = {"n1": BOTH, "n2": Asked({"analytics": ""}, {"google-analytics": ""})}


def counted(*events: tuple[Outcome, int], key: str = "", notice: str = "n1") -> list[Counts]:
    return [Counts(key, notice, dict.fromkeys(outcome.counters, number)) for outcome, number in events]


def test_every_rate_is_its_formula() -> None:
    totals = Totals(
        shown=100,
        decisions=80,
        accept_all=40,
        refuse_all=30,
        save=10,
        granted=45,
        withdrawals=9,
        grants_lately=90,
        visits=50,
        visit_decisions=40,
        visit_accept_all=20,
    )
    expected = {
        "interaction": 80 / 100, "consent": 40 / 80, "opt_in": 40 / 100, "refusal": 30 / 80, "no_choice": 20 / 100,
        "visit_interaction": 40 / 50, "visit_opt_in": 20 / 50, "withdrawal": 9 / 90,
    }  # fmt: skip
    assert {name: totals.rate(name).value for name in RATES} == expected
    assert totals.rate("consent").formula == "accept_all / decisions"
    assert (totals.rate("consent").low, totals.rate("consent").high) == wilson(40, 80)


def test_without_trials_there_is_no_rate() -> None:
    for name in RATES:
        assert Totals().rate(name) == Rate(None, None, None, str(RATES[name]))
    assert difference(Totals().rate("consent"), Totals(shown=2, decisions=1).rate("interaction")).value is None


def test_events_are_added_up_by_what_they_are() -> None:
    events = counted(
        (SHOWN, 100), (ALL, 40), (NONE, 30), (SOME, 5), (Outcome(Kind.FIRST, Action.SAVE), 1),
        (Outcome(Kind.CHANGE, Action.ACCEPT_ALL, ("analytics",)), 3), (Outcome(Kind.WITHDRAWAL), 2),
        (Outcome(Kind.GPC, None, ("analytics",)), 7), (ROBOT, 11), (PREFETCH, 13),
        (Outcome(Kind.PLACEHOLDER), 17),
    )  # fmt: skip
    told = figures(events, ASKED).to_json()
    assert told["totals"] == {
        "shown": 100, "decisions": 76, "accept_all": 40, "refuse_all": 30, "save": 6, "granted": 45, "no_choice": 24,
        "visits": 0, "visit_decisions": 0, "visit_accept_all": 0, "shown_again": 0,
        "answered_again": 0, "accept_all_again": 0, "refuse_all_again": 0, "save_again": 0,
        "changes": 3, "withdrawals": 2, "gpc": 7, "placeholders": 17, "robots": 11,
        "prefetches": 13, "told": 0, "objections": 0,
    }  # fmt: skip
    # Neither a change nor a signal is a first choice, so neither adds to a purpose.
    assert told["purposes"]["analytics"] == {
        "granted": 45, "denied": 31,
        "rate": Rate(45 / 76, *wilson(45, 76), "granted / decisions").to_json(),
        "reach": Rate(45 / 100, *wilson(45, 100), "granted / shown").to_json(),
    }  # fmt: skip
    assert told["gpc"]["decisions"] == 7
    assert told["note"] is None


def test_more_choices_than_views_leave_out_the_rates_over_views() -> None:
    told = figures(counted((SHOWN, 50), (ALL, 20), (NONE, 40)), ASKED).to_json()
    assert told["totals"]["no_choice"] == 0
    assert [told["rates"][name]["value"] for name in ("interaction", "opt_in", "no_choice")] == [None] * 3
    assert told["rates"]["consent"]["value"] == 20 / 60
    assert told["purposes"]["analytics"]["reach"]["value"] is None
    assert told["note"]["key"] == "more_choices_than_views"


AGAIN = Outcome(Kind.AGAIN, Action.ACCEPT_ALL, ("advertising", "analytics"), ("google-ads", "google-analytics"))


def test_who_is_asked_again_is_in_no_rate_of_who_is_asked_first() -> None:
    asked_once = counted((SHOWN, 100), (ALL, 40), (NONE, 20))
    told = figures(asked_once, ASKED).to_json()
    asked_again = counted((SHOWN_AGAIN, 100), (AGAIN, 80), (Outcome(Kind.AGAIN, Action.REFUSE_ALL), 15))
    both = figures([*asked_once, *asked_again], ASKED).to_json()
    for part in ("rates", "purposes", "vendors"):
        assert both[part] == told[part]
    assert {name: rate["value"] for name, rate in both["again"]["rates"].items()} == {
        "interaction": 0.95, "consent": 80 / 95, "opt_in": 0.8,
    }  # fmt: skip
    assert both["totals"] == told["totals"] | {
        "shown_again": 100, "answered_again": 95, "accept_all_again": 80, "refuse_all_again": 15,
    }  # fmt: skip
    # A view that was lost leaves out what is of views here, too.
    lost = figures(counted((SHOWN_AGAIN, 94), (AGAIN, 95)), ASKED).totals
    assert [lost.rate_again(name).value for name in AGAIN_RATES] == [None, 1.0, None]


def test_of_a_hundred_visits_so_many_accept() -> None:
    # Two pages a visit, on the second of which half of them answer: per view half as many, per visit as many as do.
    answer = Outcome(Kind.ANSWER, Action.ACCEPT_ALL, ("analytics",), ("google-analytics",))
    told = figures(counted((ARRIVAL, 100), (SHOWN, 100), (answer, 40), (Outcome(Kind.ANSWER, Action.SAVE), 10)), ASKED)
    rates = {name: told.totals.rate(name) for name in ("interaction", "visit_interaction", "opt_in", "visit_opt_in")}
    assert [rate.value for rate in rates.values()] == [0.25, 0.5, 0.2, 0.4]
    assert rates["visit_opt_in"] == Rate(0.4, *wilson(40, 100), "visit_accept_all / visits")
    # What was counted before there were visits, or was no answer to a banner, is in neither part.
    old = figures(counted((ARRIVAL, 100), (answer, 40), (SHOWN, 900), (ALL, 300)), ASKED)
    assert old.totals.rate("visit_opt_in").value == 0.4


def test_withdrawals_are_measured_by_all_grants_that_may_stand() -> None:
    whole = figures(counted((SHOWN, 9), (ALL, 1), (Outcome(Kind.WITHDRAWAL), 2)), ASKED)
    assert whole.totals.rate("withdrawal").value is None
    told = whole.with_grants_lately(100).to_json()
    assert told["grants_lately"] == 100
    low, high = wilson(2, 102)
    assert told["rates"]["withdrawal"] == {
        "value": 0.02, "low": low / (1 - low), "high": high / (1 - high), "formula": "withdrawals / grants_lately",
    }  # fmt: skip
    assert told["note"] is None


def test_a_purpose_is_measured_among_those_who_were_asked_for_it() -> None:
    of_n2 = counted((SHOWN, 1000), (Outcome(Kind.FIRST, Action.ACCEPT_ALL, ("analytics",)), 700), notice="n2")
    told = figures([*counted((SHOWN, 100), (ALL, 10), (NONE, 30)), *of_n2], ASKED)
    assert (told.purposes["advertising"].granted, told.purposes["advertising"].denied) == (10, 30)
    assert told.purposes["advertising"].reach.value == 10 / 100
    assert (told.purposes["analytics"].granted, told.purposes["analytics"].denied) == (710, 30)
    assert told.vendors["google-ads"].decisions == 40
    with pytest.raises(KeyError):
        figures(counted((SHOWN, 1), notice="n3"), ASKED)


def test_conversions_are_told_of_vendors() -> None:
    events = counted((of_conversion("google-ads", True), 30), (of_conversion("google-ads", False), 10), (ALL, 5))
    vendor = figures(events, ASKED).vendors["google-ads"]
    assert (vendor.granted, vendor.sent, vendor.blocked) == (5, 30, 10)
    told = vendor.to_json(vendor=True)["conversions"]
    assert (told["sent"], told["blocked"], told["rate"]["value"]) == (30, 10, 0.75)
    assert told["rate"]["formula"] == "sent / conversions"


def test_the_effect_of_the_signal_is_told_apart() -> None:
    signalled = Outcome(Kind.FIRST, Action.ACCEPT_ALL, ("analytics",), signal=True)
    events = counted((ALL, 30), (NONE, 30), (signalled, 5), (Outcome(Kind.FIRST, Action.REFUSE_ALL, signal=True), 15))
    told = figures(events, ASKED).to_json()["gpc"]
    assert told["first_choices"] == 20
    expected = {"share": 20 / 80, "consent_with_gpc": 5 / 20, "consent_without_gpc": 30 / 60}
    assert {name: rate["value"] for name, rate in told["rates"].items()} == expected


def test_two_periods_are_compared_rate_by_rate() -> None:
    after, before = (figures(counted((SHOWN, 100), (ALL, number), (NONE, 30)), ASKED) for number in (40, 20))
    found = compare(after, before, History())
    assert found.rates.keys() == RATES.keys()
    assert found.rates["opt_in"].value == pytest.approx(0.2)
    assert found.purposes["analytics"].rate.value == pytest.approx(40 / 70 - 20 / 50)
    now, then = (period.purposes["analytics"].reach for period in (after, before))
    assert found.purposes["analytics"].reach == difference(now, then)


def test_the_ups_and_downs_of_a_purpose_are_its_own() -> None:
    # Of analytics every day has the same share; accepting all goes up and down.
    saved, days = Outcome(Kind.FIRST, Action.SAVE, ("analytics",), ()), {}
    for number in range(56):
        accepted = 300_000 if number**2 % 11 > 5 else 100_000
        events = counted((SHOWN, 10**6), (ALL, accepted), (saved, 400_000 - accepted))
        days[date(2026, 1, 5) + timedelta(days=number)] = figures(events, ASKED)
    keys = sorted(days)
    found = compare(days[keys[-1]], days[keys[-2]], History(days, keys[-7:], keys[-14:-7]))
    assert found.rates["opt_in"].days == 56
    assert width(found.rates["opt_in"]) > 0.1
    assert width(found.purposes["analytics"].reach) < 0.01


def width(change: Difference) -> float:
    assert change.low is not None
    assert change.high is not None
    return change.high - change.low


def split(sizes: Mapping[str, tuple[int, int]]) -> list[Counts]:
    return [
        count for key, (shown, chosen) in sizes.items() for count in counted((SHOWN, shown), (NONE, chosen), key=key)
    ]


def cells(sizes: Mapping[str, tuple[int, int]]) -> Counter[tuple[str, CounterName]]:
    """By value and counter, those of one day under one notice."""
    found: Counter[tuple[str, CounterName]] = Counter()
    for key, _, events in split(sizes):
        found.update({(key, counter): number for counter, number in events.items()})
    return found


def guarded(sizes: Mapping[str, tuple[int, int]]) -> Report:
    """What a split by country says of one day under one notice."""
    told = merge_small(cells(sizes)).items()
    return report([Counts(key, "n1", {counter: events}) for (key, counter), events in told], ASKED)


def keys(found: Report) -> list[str]:
    return [key for key, _ in found.rows]


@pytest.mark.parametrize(
    ("sizes", "rows"),
    [
        ({"FR": (90, 40), "DE": (10, 10)}, ["DE", "FR"]),
        # Ten page views of one visitor are one, and point at them.
        ({"FR": (90, 40), "MT": (10, 1)}, [OTHER]),
        ({"FR": (90, 40), "IE": (30, 12), "DE": (500, 0), "MT": (10, 1)}, ["FR", OTHER]),
        # One small row alone could be told from the whole less the rest, so another joins it.
        ({"FR": (90, 40), "DE": (20, 9), "MT": (3, 1)}, ["FR", OTHER]),
        # Nine who saw it and chose are nine.
        ({"FR": (90, 40), "DE": (20, 9), "MT": (9, 9)}, ["FR", OTHER]),
        ({"FR": (90, 40), "DE": (20, 10), "MT": (9, 6), "LU": (5, 4)}, ["DE", "FR", OTHER]),
        # Two small ones that stay small together are told by the same difference.
        ({"FR": (90, 40), "DE": (20, 9), "MT": (3, 1), "LU": (2, 1)}, ["FR", OTHER]),
        # Nine views here and nine choices there are nine visitors, not eighteen.
        ({"FR": (90, 40), "DE": (20, 10), "MT": (9, 0), "LU": (0, 9)}, ["FR", OTHER]),
        ({"FR": (90, 40), "MT": (3, 1)}, [OTHER]),
    ],
)  # fmt: skip
def test_small_rows_are_merged(sizes: dict[str, tuple[int, int]], rows: list[str]) -> None:
    found = guarded(sizes)
    assert keys(found) == rows
    assert sum(row.totals.shown for _, row in found.rows if row) == found.whole.totals.shown
    assert keys(report(split(sizes), ASKED)) == sorted(sizes)


def test_what_is_small_as_a_whole_has_no_numbers() -> None:
    row = guarded({"FR": (5, 2), "DE": (4, 1)}).to_json()["rows"]
    assert len(row) == 1
    assert (row[0]["key"], row[0]["note"]["key"]) == (OTHER, "fewer_than_10")
    assert set(row[0]["totals"].values()) == {None}
    rate = {"value": None, "low": None, "high": None, "formula": "accept_all / decisions"}
    assert row[0]["rates"]["consent"] == rate
    assert row[0]["purposes"] == {}


# By visitor: how many views each of them had, and whether they answered.
VISITORS = st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=25).map(
    lambda visitors: (sum(views for views, _ in visitors), sum(answered for _, answered in visitors))
)


@given(st.dictionaries(st.sampled_from("abcdefgh"), VISITORS, max_size=8))
def test_no_difference_tells_of_fewer_than_ten(sizes: dict[str, tuple[int, int]]) -> None:
    found = guarded(sizes)
    assert all(row.totals.decisions >= 10 for _, row in found.rows if row)
    hidden = [key for key in sizes if key not in keys(found)]
    if any(row for key, row in found.rows if key == OTHER):
        assert len(hidden) > 1 or len(sizes) == 1


SIZES = st.dictionaries(st.sampled_from("abcd"), VISITORS, max_size=4)
# By day and notice.
UNITS = st.dictionaries(st.tuples(st.integers(1, 4), st.sampled_from(["old", "new"])), SIZES, max_size=8)


def answer(units: Units, days: range, notice: str | None) -> dict[str, Counter[CounterName]]:
    """Rows of a span, under one notice or all."""
    rows: dict[str, Counter[CounterName]] = {}
    for (day, shown), sizes in units.items():
        if day in days and notice in (None, shown):
            for (value, counter), events in merge_small(cells(sizes)).items():
                rows.setdefault(value, Counter())[counter] += events
    return rows


@given(UNITS, st.tuples(st.integers(1, 5), st.integers(1, 5)), st.sampled_from(["old", "new", None]))
def test_no_two_answers_tell_of_fewer_than_ten_by_their_difference(
    units: Units, days: tuple[int, int], notice: str | None
) -> None:
    # All days and notices, less a shorter span or one notice, or both.
    more, less = answer(units, range(1, 5), None), answer(units, range(*days), notice)
    for value, counted in more.items():
        left = counted - less.get(value, Counter())
        if value != OTHER:
            assert not +left or left[CHOICES] >= 10
    # What is told apart from "other" leaves ten or nothing, day by day and notice by notice.
    for sizes in units.values():
        told = merge_small(cells(sizes))
        rest = sum(events for (value, _), events in told.items() if value == OTHER)
        assert rest == 0 or told[OTHER, CHOICES] >= 10 or {value for value, _ in told} == {OTHER}
        assert sum(told.values()) == sum(cells(sizes).values())


EVENTS = st.tuples(
    st.sampled_from("ab"), st.sampled_from(["n1", "n2"]), st.sampled_from([SHOWN, NONE, SOME]), st.integers(1, 50)
)


@given(st.lists(EVENTS, max_size=20))
def test_rows_add_up_to_the_whole(events: list[tuple[str, str, Outcome, int]]) -> None:
    found = report(
        (one for key, notice, outcome, number in events for one in counted((outcome, number), key=key, notice=notice)),
        ASKED,
    )
    for name in ("shown", "decisions", "accept_all", "granted"):
        assert total(found, name) == getattr(found.whole.totals, name)
    whole = found.whole.totals
    assert whole.accept_all + whole.refuse_all + whole.save == whole.decisions
    rows = [row for _, row in found.rows if row]
    for purpose, share in found.whole.purposes.items():
        assert sum(row.purposes[purpose].granted for row in rows if purpose in row.purposes) == share.granted


def total(found: Report, name: str) -> int:
    return sum(getattr(row.totals, name) for _, row in found.rows if row)


def test_rows_come_in_the_order_of_their_keys_with_other_last() -> None:
    days = [f"2026-11-0{day}" for day in (3, 1, 2)]
    assert keys(report(split(dict.fromkeys(days, (1, 0))), ASKED)) == sorted(days)
    sizes = {"zz": (50, 15), "aa": (50, 15), "bb": (6, 6), "cc": (7, 7)}
    assert keys(guarded(sizes)) == ["aa", "zz", OTHER]


def test_the_json_is_the_contract_s() -> None:
    told = report(counted((SHOWN, 10), (ALL, 4), key="2026-11-01"), ASKED).to_json()
    row = told["rows"][0]
    assert row["key"] == "2026-11-01"
    for part, name in product((told, row), ("totals", "rates", "purposes", "vendors")):
        assert part[name], name
    assert told["rates"]["interaction"].keys() == {"value", "low", "high", "formula"}


def test_nothing_counted_is_an_empty_report() -> None:
    told = report([], ASKED).to_json()
    assert (told["rows"], told["purposes"], told["totals"]["shown"]) == ([], {}, 0)
