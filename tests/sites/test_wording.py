"""Numbers in the words of each language."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


LANGUAGES = sorted(catalogue.locales())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_every_number(language: str) -> None:
    wording = Wording(language)
    for noun in catalogue.locales()["en"]["plural"]:
        said = [wording.count(noun, number) for number in (*range(30), 100, 1_000_000)]
        assert len(set(said)) == len(said)
        assert "{" not in "".join(said)


@pytest.mark.parametrize(
    ("language", "says"),
    [("ar", ["طرف ثالث واحد", "طرفان ثالثان", "3 أطراف ثالثة", "11 طرفًا ثالثًا"]),
     ("he", ["צד שלישי אחד", "שני צדדים שלישיים", "3 צדדים שלישיים", "11 צדדים שלישיים"])],
)  # fmt: skip
def test_a_dual_is_the_number(language: str, says: list[str]) -> None:
    assert [Wording(language).count("vendors", number) for number in (1, 2, 3, 11)] == says


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "1 year and 6 months"), ("pl", "1 rok i 6 miesięcy"), ("et", "1 aasta ja 6 kuud"), ("ja", "1年6か月"),
     ("zh", "1年6个月"), ("he", "שנה אחת ו-6 חודשים"), ("ar", "سنة واحدة و6 أشهر")],
)  # fmt: skip
def test_a_duration_is_joined_as_the_language_joins(language: str, said: str) -> None:
    assert Wording(language).duration("P1Y6M") == said


@pytest.mark.parametrize(
    ("language", "said"),
    [("es", "la publicidad e inteligencia de mercado"), ("en", "la publicidad and inteligencia de mercado")],
)
def test_and_sounds_well_before_what_follows(language: str, said: str) -> None:
    assert Wording(language).listed(["la publicidad", "inteligencia de mercado"]) == said


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), st.sampled_from(LANGUAGES))
def test_a_date_says_its_day_in_latin_digits_and_a_moment_its_minute(at: datetime, language: str) -> None:
    wording, moment = Wording(language), at.replace(tzinfo=UTC)
    months = wording.dates()["months"]
    day = wording.day(moment)
    assert {str(at.day), str(at.year)} <= set(re.findall(r"[0-9]+", day))
    assert str(months[at.month - 1]) in day
    assert len(set(months)) == 12
    assert day in wording.moment(moment)
    assert re.search(rf"{at:%H}[.:]{at:%M} UTC$", wording.moment(moment))


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "1 December 2026, 17:05 UTC"), ("fr", "1er décembre 2026, 17:05 UTC"),
     ("pt", "1 de dezembro de 2026, 17:05 UTC"), ("ga", "1 Nollaig 2026 17:05 UTC"),
     ("da", "1. december 2026 17.05 UTC"), ("ar", "1 ديسمبر 2026، 17:05 UTC")],
)  # fmt: skip
def test_dates_are_those_of_the_country(language: str, said: str) -> None:
    # In Paris it is another hour.
    at = datetime(2026, 12, 1, 18, 5, tzinfo=timezone(timedelta(hours=1)))
    assert Wording(language).moment(at) == said


def test_a_name_keeps_its_signs_in_order_among_words_from_right_to_left() -> None:
    assert Wording("ar").names(["Shop (EU)", "متجر"]) == "\u2068Shop (EU)\u2069، \u2068متجر\u2069"
    assert Wording("en").names(["Shop (EU)", "متجر"]) == "Shop (EU), متجر"
