"""What identifies comes back whole from its own slot with its own key, and from nowhere else."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.core.errors import InvalidProof
from consent_server.decisions.encryption import decrypt, encrypt
from consent_server.decisions.rules_contents import DECISION, RECEIPT, VISITOR, Content, commitment, tag

BYTES32 = st.binary(min_size=32, max_size=32)
CONTENTS = st.builds(
    Content, salt=BYTES32, request_hash=BYTES32, visitor=st.none() | st.uuids(), decision_id=st.uuids(),
    receipt_id=st.uuids(), receipt=st.text(st.characters(codec="utf-8"), max_size=2000),
)  # fmt: skip
PLACES = st.tuples(st.integers(1, 2**31 - 1), st.integers(0, 2**56 - 1), st.integers(0, 4095))


@given(CONTENTS, BYTES32, PLACES)
def test_it_comes_back_as_it_was(content: Content, key: bytes, place: tuple[int, int, int]) -> None:
    assert decrypt(encrypt(content, key, *place), key, *place) == content


@given(CONTENTS, BYTES32, BYTES32, PLACES, PLACES, st.data())
def test_it_opens_nowhere_else(
    content: Content, key: bytes, other_key: bytes, place: tuple[int, int, int], elsewhere: tuple[int, int, int],
    data: st.DataObject,
) -> None:  # fmt: skip
    encrypted = encrypt(content, key, *place)
    for number in range(3):
        moved = (*place[:number], elsewhere[number], *place[number + 1 :])
        assert (decrypt(encrypted, key, *moved) is None) == (moved != place)
    assert (decrypt(encrypted, other_key, *place) is None) == (other_key != key)
    flipped = bytearray(encrypted)
    flipped[data.draw(st.integers(0, len(encrypted) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert decrypt(bytes(flipped), key, *place) is None


@pytest.mark.parametrize("packed", [b"", b"\x01", bytes(200), b"\x02" + bytes(200)])
def test_what_is_no_content(packed: bytes) -> None:
    with pytest.raises(ValueError, match="no content"):
        Content.unpacked(packed)


@given(st.uuids(), st.uuids())
def test_a_tag_tells_kinds_and_identifiers_apart(identifier: UUID, other: UUID) -> None:
    tags = {(kind, each): tag(kind, each) for kind in (DECISION, RECEIPT, VISITOR) for each in {identifier, other}}
    assert len({*tags.values()}) == len(tags)
    assert not {*tags.values()} & {identifier, other}


def test_tags_of_what_the_server_named_are_in_order_of_time() -> None:
    earlier, later = UUID("01a20959-a77a-7da3-b6d6-2bdcedcb4f9f"), UUID("01a20959-a77b-70a3-b6d6-2bdcedcb4f9f")
    for kind in (RECEIPT, VISITOR):
        assert tag(kind, earlier) < tag(kind, later)
        assert tag(kind, earlier).bytes[6:] not in (earlier.bytes[6:], later.bytes[6:])


def test_a_commitment_is_to_a_whole_salt_and_plain_text() -> None:
    for salt, receipt in ((bytes(31), "a"), (bytes(33), "a"), (bytes(32), "é")):
        with pytest.raises(InvalidProof):
            commitment(salt, receipt)
