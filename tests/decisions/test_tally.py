"""An outcome has one text; a decision has one outcome; a page fetched ahead is known."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.decisions.rules import Action, Answer, AskedAs, Decision, Method
from consent_server.decisions.rules_robots import is_prefetch
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
    counters_of,
    of_conversion,
    of_decision,
    of_page_load,
)
from consent_server.rates.rules import COUNTED

KEYS = st.lists(st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True), unique=True, max_size=4).map(
    lambda keys: tuple(sorted(keys))
)
CHOICES = st.sampled_from((Action.ACCEPT_ALL, Action.REFUSE_ALL, Action.SAVE))
OUTCOMES = st.one_of(
    st.builds(
        Outcome, st.sampled_from((Kind.FIRST, Kind.ANSWER, Kind.AGAIN, Kind.CHANGE)), CHOICES, KEYS, KEYS, st.booleans()
    ),
    st.builds(Outcome, st.just(Kind.GPC), st.none(), KEYS, KEYS),
    st.sampled_from(
        (SHOWN, ARRIVAL, SHOWN_AGAIN, ROBOT, PREFETCH, Outcome(Kind.WITHDRAWAL), Outcome(Kind.PLACEHOLDER))
    ),
    st.builds(of_page_load, st.booleans(), KEYS),
    st.builds(of_conversion, st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True), st.booleans()),
)


@given(OUTCOMES)
def test_text_and_parse_are_inverses(outcome: Outcome) -> None:
    assert Outcome.parse(outcome.text) == outcome


@given(OUTCOMES, OUTCOMES)
def test_two_outcomes_never_share_a_text(one: Outcome, other: Outcome) -> None:
    assert (one == other) is (one.text == other.text)


@given(
    st.one_of(
        st.text(max_size=30), OUTCOMES.map(lambda outcome: outcome.text + ":"), st.text("first:,agpcsve_", max_size=40)
    )
)
def test_what_parses_is_canonical(text: str) -> None:
    try:
        outcome = Outcome.parse(text)
    except ValueError:
        return
    assert outcome.text == text


@pytest.mark.parametrize(
    "text",
    [
        "", "First", "first", "first:withdraw", "first:save:b,a", "first:save:a,a", "first:save:A", "first:save:a,",
        "first:save:::yes", "first:save:::::GPC", "shown:save", "shown::a", "shown::::gpc", "gpc:gpc", "withdrawal::a",
        "conversion_sent", "conversion_sent:::a,b", "conversion_sent::a:b", "first:save:a\n", "first:save:a b",
    ],
)  # fmt: skip
def test_what_no_outcome_says_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Outcome.parse(text)


@pytest.mark.parametrize(
    ("text", "counters"),
    [
        ("shown", "shown"), ("robot", "robots"), ("prefetch", "prefetches"), ("withdrawal", "withdrawals"),
        ("arrival", "shown, visits"), ("shown_again", "shown_again"),
        ("again:refuse_all", "answered_again, refuse_all_again"),
        ("again:save:analytics:google-analytics:gpc", "answered_again, save_again, granted_again"),
        ("page_answered", "pages"), ("page_unanswered", "pages, pages_unanswered"),
        ("page_answered:::google-ads,meta-pixel", "pages, page_vendor google-ads, page_vendor meta-pixel"),
        (
            "page_unanswered:::google-ads",
            "pages, pages_unanswered, page_vendor google-ads, page_stand_in google-ads",
        ),
        ("gpc::analytics:google-analytics", "gpc"), ("placeholder", "placeholders"),
        ("change:save:analytics:google-analytics", "changes"),
        ("conversion_sent:::google-ads", "conversion_sent google-ads"),
        ("conversion_blocked:::google-ads", "conversion_blocked google-ads"),
        ("first:refuse_all:::gpc", "decisions, refuse_all, with_gpc"), ("first:save", "decisions, save"),
        ("answer:refuse_all", "decisions, refuse_all, visit_decisions"),
        (
            "answer:accept_all:analytics:google-ads",
            "decisions, accept_all, granted, visit_decisions, visit_accept_all, purpose analytics, vendor google-ads",
        ),
        ("first:save::google-ads", "decisions, save, granted, vendor google-ads"),
        (
            "first:accept_all:advertising,analytics:google-ads,meta-pixel:gpc",
            "decisions, accept_all, granted, with_gpc, with_gpc_accept_all, purpose advertising, purpose analytics, "
            "vendor google-ads, vendor meta-pixel",
        ),
    ],
)  # fmt: skip
def test_an_event_adds_to_these_counters(text: str, counters: str) -> None:
    # Counts of years are kept under these words.
    assert [counter.text for counter in counters_of(text)] == counters.split(", ")
    assert [CounterName.parse(name) for name in counters.split(", ")] == list(counters_of(text))


def test_every_measure_has_its_place_in_the_rates() -> None:
    of_a_key = {Measure.PURPOSE, Measure.VENDOR, Measure.OBJECTED, Measure.CONVERSION_SENT, Measure.CONVERSION_BLOCKED}
    of_pages = {measure for measure in Measure if measure.startswith("page")}
    assert {*Measure} - of_a_key - of_pages - {Measure.RECORDS} == {*COUNTED}


@given(st.permutations(["a", "b", "c", "d"]))
def test_what_was_granted_together_is_in_no_counter(keys: list[str]) -> None:
    # Whoever granted which two of the four: the counters are the same.
    choices = ("".join(sorted(keys[:2])), "".join(sorted(keys[2:])))
    counted = Counter(name.text for both in choices for name in counters_of(f"first:save::{','.join(both)}"))
    assert counted == Counter({"decisions": 2, "save": 2, "granted": 2, **{f"vendor {key}": 1 for key in "abcd"}})


def test_the_stored_form_stays_as_it_is() -> None:
    outcome = Outcome(Kind.FIRST, Action.SAVE, ("advertising", "analytics"), ("google-ads",), signal=True)
    assert outcome.text == "first:save:advertising,analytics:google-ads:gpc"
    assert Outcome(Kind.CHANGE, Action.REFUSE_ALL).text == "change:refuse_all"
    assert of_conversion("google-ads", sent=False).text == "conversion_blocked:::google-ads"
    assert [one.text for one in (SHOWN, ROBOT, PREFETCH)] == ["shown", "robot", "prefetch"]


def decision(
    action: Action, granted: bool = False, change: bool = False, gpc: bool = False, asked: AskedAs | None = None
) -> Decision:
    grants, vendors = {"support": granted, "analytics": granted}, {"meta-pixel": granted, "google-ads": False}
    answer = Answer(
        UUID(int=1),
        "0" * 64,
        action,
        Method.BANNER,
        grants,
        {},
        None,
        change,
        "en",
        "https://a.example/",
        gpc,
        None,
        asked,
    )  # fmt: skip
    return Decision(answer, grants, vendors, {})


@pytest.mark.parametrize(
    ("settled", "text"),
    [
        (decision(Action.ACCEPT_ALL, granted=True), "first:accept_all:analytics,support:meta-pixel"),
        (decision(Action.REFUSE_ALL), "first:refuse_all"),
        (decision(Action.REFUSE_ALL, asked=AskedAs.FIRST), "answer:refuse_all"),
        (decision(Action.SAVE, granted=True, change=True), "change:save:analytics,support:meta-pixel"),
        # By whatever button: nothing stands after it.
        (decision(Action.REFUSE_ALL, change=True), "withdrawal"),
        (decision(Action.SAVE, change=True), "withdrawal"),
        # Whose choice has ended was asked; nobody takes back what no longer stands.
        (decision(Action.REFUSE_ALL, change=True, asked=AskedAs.AGAIN), "again:refuse_all"),
        (decision(Action.WITHDRAW, change=True, asked=AskedAs.AGAIN), "again:refuse_all"),
        (
            decision(Action.ACCEPT_ALL, granted=True, change=True, asked=AskedAs.AGAIN),
            "again:accept_all:analytics,support:meta-pixel",
        ),
        (decision(Action.SAVE, granted=True, gpc=True), "first:save:analytics,support:meta-pixel:gpc"),
        (decision(Action.WITHDRAW, change=True, gpc=True), "withdrawal"),
        (decision(Action.WITHDRAW), "withdrawal"),
        (decision(Action.GPC, granted=True, gpc=True), "gpc::analytics,support:meta-pixel"),
        (replace(decision(Action.SAVE, granted=True), partial=True), "placeholder"),
        (replace(decision(Action.SAVE, granted=True, change=True), partial=True), "placeholder"),
    ],
)
def test_a_decision_counts_as_one_outcome(settled: Decision, text: str) -> None:
    assert of_decision(settled).text == text


@pytest.mark.parametrize(
    ("headers", "ahead"),
    [
        ({"Sec-Purpose": "prefetch"}, True), ({"Sec-Purpose": "prefetch;prerender"}, True),
        ({"Purpose": "Prefetch"}, True), ({"X-Moz": "prefetch"}, True), ({}, False), ({"Purpose": "preview"}, False),
    ],
)  # fmt: skip
def test_a_page_fetched_ahead_is_known_by_its_headers(headers: dict[str, str], ahead: bool) -> None:
    assert is_prefetch(headers.get) is ahead
