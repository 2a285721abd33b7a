"""What a spot check without a fault says of the leaves that were not drawn."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.audit.rules_sampling import most_faulty


@given(st.integers(1, 9).flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size))))
def test_as_many_faults_could_have_been_missed_and_no_more(drawn: tuple[int, int]) -> None:
    count, size = drawn
    samples = [*combinations(range(size), count)]

    def missed(faulty: int) -> float:
        return sum(min(sample) >= faulty for sample in samples) / len(samples)

    most = most_faulty(count, size)
    assert missed(most) >= 0.05
    assert most == size or missed(most + 1) < 0.05


@pytest.mark.parametrize(("count", "size", "most"), [(100, 1_000_000, 29_511), (1000, 1000, 0), (1, 100, 95)])
def test_it_is_about_three_in_as_many(count: int, size: int, most: int) -> None:
    assert most_faulty(count, size) == most
