"""What a search for a notice means."""

import pytest

from consent_server.audit.rules_search import notices_meant

CLARITY, SPRING, AGAIN = "a1b2c3d4" + "0" * 56, "a1b2c3d4" + "f" * 56, "deadbeef" * 8
TITLES = {CLARITY: "November: added Clarity", SPRING: "Spring", AGAIN: "Spring, once more"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (CLARITY, [CLARITY]), ("0" * 64, ["0" * 64]), ("a1b2c3d4", [CLARITY, SPRING]), ("a1b2c3d40", [CLARITY]),
        ("deadbee", []), ("november: ADDED clarity", [CLARITY]), ("clarity", [CLARITY]), ("Spring", [SPRING]),
        ("spring, ", [AGAIN]), ("pring", [SPRING, AGAIN]), ("nothing", []), ("deadbeef", [AGAIN]),
    ],
)  # fmt: skip
def test_a_notice_is_meant_by_hash_by_its_first_digits_or_by_title(text: str, meant: list[str]) -> None:
    assert notices_meant(text, TITLES) == meant


def test_digits_that_begin_no_hash_may_be_in_a_title() -> None:
    assert notices_meant("20261123", {CLARITY: "Release 20261123"}) == [CLARITY]
