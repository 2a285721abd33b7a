"""Destroyed keys cannot be derived, and all others stay what they were."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.decisions.rules_record_keys import HEIGHT, ROOT, SLOTS, Unused, key_of, punctured

ROOTS = st.binary(min_size=32, max_size=32)
SOME = st.sets(st.integers(0, SLOTS - 1), max_size=40)
# Many that lie side by side, as those of one age do.
STRETCHES = st.builds(lambda first, length: set(range(first, min(SLOTS, first + length))), st.integers(0, SLOTS - 1),
                      st.integers(0, SLOTS))  # fmt: skip


def below(node: int) -> range:
    """The slots under a node."""
    height = HEIGHT - (node.bit_length() - 1)
    return range((node << height) - SLOTS, ((node + 1) << height) - SLOTS)


@given(ROOTS, st.lists(SOME | STRETCHES, max_size=3))
def test_exactly_the_destroyed_keys_are_gone(root: bytes, rounds: list[set[int]]) -> None:
    whole, nodes = {ROOT: root}, {ROOT: root}
    for gone in rounds:
        nodes = punctured(nodes, gone)
    # By what lies under what is kept, not only by what is looked up: whoever has the nodes has all below them.
    derivable = [slot for node in nodes for slot in below(node)]
    assert sorted(derivable) == sorted(set(range(SLOTS)) - set[int]().union(*rounds))
    for slot in {0, SLOTS - 1}.union(*rounds, derivable[:20]):
        assert key_of(nodes, slot) == (key_of(whole, slot) if slot in derivable else None)


@given(ROOTS, SOME)
def test_one_key_costs_at_most_a_path(root: bytes, slots: set[int]) -> None:
    nodes = {ROOT: root}
    for number, slot in enumerate(slots, 1):
        nodes = punctured(nodes, [slot])
        assert len(nodes) <= HEIGHT * number


@given(ROOTS, st.integers(0, SLOTS - 1))
def test_a_key_is_its_path_hashed(root: bytes, slot: int) -> None:
    secret = root
    for bit in f"{slot:0{HEIGHT}b}":
        secret = sha256(secret + bytes([int(bit)])).digest()
    assert key_of({ROOT: root}, slot) == secret


def test_slots_are_taken_in_order_and_leave_nothing_that_leads_back() -> None:
    root = bytes(range(32))
    unused = Unused(root)
    taken = []
    while unused:
        taken.append(unused.take())
        if len(taken) == 1000:
            assert sorted(slot for node, _ in unused._nodes for slot in below(node)) == list(range(1000, SLOTS))
    assert taken == [(slot, key_of({ROOT: root}, slot)) for slot in range(SLOTS)]
    with pytest.raises(IndexError):
        unused.take()


@pytest.mark.parametrize("slot", [-1, SLOTS])
def test_no_other_slot(slot: int) -> None:
    with pytest.raises(ValueError, match="no slot"):
        key_of({ROOT: bytes(32)}, slot)
