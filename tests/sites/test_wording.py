"""Numbers in the words of each language."""

import re
from datetime import UTC, datetime

import pytest

from consent_server.sites import catalogue
from consent_server.sites.wording import Wording

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(DAY * 365, "1 year"), (DAY * 730, "2 years"), (DAY * 90, "90 days"), (DAY, "1 day"), (3600, "1 hour"),
     (1800, "30 minutes"), (60, "1 minute"), (1, "1 minute"), (DAY * 395, "13 months"), (DAY * 180, "6 months"),
     (34_186_698, "13 months"), (DAY * 7, "7 days")],
)  # fmt: skip
def test_lifetimes(seconds: int, words: str) -> None:
    assert Wording("en").lifetime(seconds) == words


def test_a_choice_lasts_months_where_they_are_whole() -> None:
    english = Wording("en")
    assert [english.choice_lifetime(days) for days in (180, 30, 395, 1)] == ["6 months", "1 month", "395 days", "1 day"]


def test_lists() -> None:
    english = Wording("en")
    assert [english.listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


@pytest.mark.parametrize("language", sorted(catalogue.locales()))
def test_every_language_says_every_number(language: str) -> None:
    wording = Wording(language)
    for noun in catalogue.locales()["en"]["plural"]:
        for number in (0, 1, 2, 3, 5, 11, 21, 100, 1_000_000):
            said = wording.count(noun, number)
            assert str(number) in said
            assert "{" not in said
    said = wording.moment(datetime(2026, 11, 23, 17, 0, tzinfo=UTC))
    # French says TU.
    assert "2026" in said
    assert re.search(r"\b(17[.:]00[.:]00|5:00:00)\b", said), said
    assert re.search("UTC|TU", said), said
