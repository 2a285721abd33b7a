"""Receipt ids sort by time and are valid (RFC 9562, section 5.7)."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from consent_server.decisions.rules_receipt import uuid7

TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2999, 12, 31), timezones=st.just(UTC))
RANDOM = st.binary(min_size=10, max_size=10)


@given(TIMES, RANDOM)
def test_version_variant_and_time(now: datetime, random: bytes) -> None:
    made = uuid7(now, random)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert abs((made.int >> 80) - now.timestamp() * 1000) <= 1


@given(TIMES, RANDOM, RANDOM, st.integers(min_value=2, max_value=10**9))
def test_later_sorts_later(now: datetime, one: bytes, other: bytes, milliseconds: int) -> None:
    earlier, later = uuid7(now, one), uuid7(now + timedelta(milliseconds=milliseconds), other)
    assert earlier < later
    assert earlier.bytes < later.bytes
    assert str(earlier) < str(later)


@given(TIMES, RANDOM)
def test_74_bits_of_it_are_random(now: datetime, random: bytes) -> None:
    flipped = bytes(byte ^ 0xFF for byte in random)
    assert (uuid7(now, random).int ^ uuid7(now, flipped).int).bit_count() == 74


def test_the_example_of_the_rfc() -> None:
    at = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    random = bytes.fromhex("0cc318c4dc0c0c07398f")
    assert str(uuid7(at, random)) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
