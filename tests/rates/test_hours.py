"""Rows by hour tell of no group under ten, and of nobody's selection."""

from hypothesis import given
from hypothesis import strategies as st

from consent_server.decisions.rules_tally import counters_of
from consent_server.rates.rules_report import Asked, Count, Figures, by_hour, figures

ASKED = dict.fromkeys(("n1", "n2"), Asked({"analytics": ""}, {"google-analytics": ""}))
# Views and first choices.
HOURS = st.dictionaries(
    st.integers(0, 23).map(lambda hour: f"2026-11-01T{hour:02d}"),
    st.tuples(st.integers(0, 60), st.integers(0, 25)),
    max_size=24,
)
SELECTION = "first:save:analytics:google-analytics"


@given(st.dictionaries(st.sampled_from(["n1", "n2"]), HOURS))
def test_no_hour_tells_of_fewer_than_ten_nor_of_a_selection(units: dict[str, dict[str, tuple[int, int]]]) -> None:
    events = [
        Count(hour, notice, counter, number)
        for notice, hours in units.items()
        for hour, numbers in hours.items()
        for outcome, number in zip(("shown", SELECTION), numbers, strict=True)
        for counter in counters_of(outcome)
    ]
    whole = figures(events, ASKED)
    found = by_hour(events, whole)
    assert sum(row.totals.shown for _, row in found.rows if row) == whole.totals.shown
    assert sum(row.totals.decisions for _, row in found.rows if row) == whole.totals.decisions
    assert all(row and not row.purposes and not row.vendors for _, row in found.rows)
    for notice, hours in units.items():
        # Under one notice alone: what could be asked for.
        alone = by_hour([count for count in events if count.notice == notice], Figures())
        few = [row for _, row in alone.rows if row and row.totals.decisions < 10]
        assert not few or sum(chosen for _, chosen in hours.values()) < 10
