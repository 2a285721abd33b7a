"""Fields that read an address strictly."""

import pytest

from consent_server.http.fields import LARGEST_NUMBER, row_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("17", 17),
        (str(LARGEST_NUMBER), LARGEST_NUMBER),
        (str(LARGEST_NUMBER + 1), None),
        ("9" * 5000, None),
        ("-1", None),
        ("+1", None),
        ("1 ", None),
        ("1\n", None),
        ("\u0661", None),
        ("\u00b2", None),
        ("", None),
    ],
)
def test_the_number_of_a_row(text: str, number: int | None) -> None:
    assert row_number(text) == number
