"""Rows by hour tell of no group under ten, and of nobody's selection."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.rates.rules_closing import Noise

# Views and first choices.
HOURS = st.dictionaries(
    st.integers(0, 23).map(lambda hour: f"2026-11-01T{hour:02d}"),
    st.tuples(st.integers(0, 60), st.integers(0, 25)),
    max_size=24,
)
SHOWN, DECISIONS, DRAWS = (CounterName(name) for name in (Measure.SHOWN, Measure.DECISIONS, Measure.DRAWS))


@given(HOURS)
def test_an_hour_stands_with_ten_first_choices_and_a_day_of_fewer_as_one(hours: dict[str, tuple[int, int]]) -> None:
    counted = Counter({(hour, SHOWN): views for hour, (views, _) in hours.items()})
    counted += Counter({(hour, DECISIONS): chosen for hour, (_, chosen) in hours.items()})
    told = Noise(lambda: 0).hours(counted)
    for counter in (SHOWN, DECISIONS):
        assert sum(told[place] for place in told if place[1] == counter) == sum(
            counted[place] for place in counted if place[1] == counter
        )
    rows = {hour for hour, counter in told if counter == DRAWS}
    few = [hour for hour in rows if told[hour, DECISIONS] < 10]
    assert not few or rows == {"2026-11-01T23"}
