"""Every language says everything, in its own words and in all its plural forms."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from babel import Locale

from consent_server.sites import catalogue
from consent_server.sites.rules_fairness import text_faults
from consent_server.sites.site_schema import TEXT_LIMITS
from consent_server.sites.wording import Wording

LOCALES = catalogue.locales()
ENGLISH = LOCALES["en"]
OTHERS = sorted(set(LOCALES) - {"en"})
PLACEHOLDER = re.compile(r"\{[^}]*\}")


def leaves(table: dict[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{place}{key}.")
        else:
            assert isinstance(value, str), f"{place}{key}"
            yield f"{place}{key}", value


def texts(language: str) -> dict[str, str]:
    """Place to text, without the plural forms, of which each language has its own number."""
    return {place: text for place, text in leaves(LOCALES[language]) if not place.startswith("plural.")}


@pytest.mark.parametrize("language", OTHERS)
def test_the_same_keys_in_the_same_order(language: str) -> None:
    assert list(texts(language)) == list(texts("en"))
    assert list(LOCALES[language]["plural"]) == list(ENGLISH["plural"])


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_are_kept(language: str) -> None:
    for place, text in texts("en").items():
        assert sorted(PLACEHOLDER.findall(texts(language)[place])) == sorted(PLACEHOLDER.findall(text)), place


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_every_plural_form_of_the_language(language: str) -> None:
    forms = set(Locale.parse(language, sep="-").plural_form.tags) | {"other"}
    for noun, said in LOCALES[language]["plural"].items():
        assert said.keys() == forms, noun
        assert all("{n}" in text for text in said.values()), noun


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str) -> None:
    # What is left of a text without its placeholders; "Version" is a word of both.
    said = {place: PLACEHOLDER.sub("", text) for place, text in texts(language).items()}
    same = [place for place, text in said.items() if len(text) > 12 and text == PLACEHOLDER.sub("", texts("en")[place])]
    assert same == []


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_no_text_is_empty_or_of_several_lines(language: str) -> None:
    for place, text in leaves(LOCALES[language]):
        assert text.strip(), place
        assert "\n" not in text, place
        if not place.startswith("meta."):
            assert text == text.strip(), place


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_a_date_within_a_text_ends_no_sentence_twice(language: str) -> None:
    # In several languages a date ends in a full stop of its own.
    wording, moment = Wording(language), datetime(2026, 12, 3, 17, tzinfo=UTC)
    for place, text in texts(language).items():
        said = text.replace("{at}", wording.moment(moment)).replace("{by}", wording.day(moment))
        assert ".." not in said, place


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_the_built_in_texts_keep_the_rules_for_overrides(language: str) -> None:
    banner = LOCALES[language]["banner"]
    assert list(text_faults(language, banner, banner)) == []
    for key, longest in TEXT_LIMITS.items():
        assert len(banner[key]) <= longest, key


# What people and tools look for to see that a first layer names its purposes: the word of the law (GDPR, Article 13).
PURPOSES = {
    "ar": "أغراض", "bg": "цели", "cs": "účel", "da": "formål", "de": "Zwecke", "el": "σκοπ", "en": "purposes",
    "es": "finalidades", "et": "eesmär", "fi": "tarkoitu", "fr": "finalités", "ga": "críoch", "he": "מטרות",
    "hr": "svrhe", "hu": "cél", "is": "tilgangi", "it": "finalità", "ja": "目的", "lt": "tikslai", "lv": "nolūk",
    "mt": "skopijiet", "nb": "formål", "nl": "doeleinden", "pl": "cela", "pt": "finalidades", "ro": "scopuri",
    "sk": "účel", "sl": "namen", "sv": "ändamål", "tr": "amaç", "uk": "ціл", "zh": "目的",
}  # fmt: skip


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_the_first_layer_names_its_purposes_as_such(language: str) -> None:
    said, _, _ = LOCALES[language]["banner"]["intro"].replace("gcríoch", "críoch").partition("{purposes}")
    assert PURPOSES[language] in said


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_the_direction_is_that_of_the_language(language: str) -> None:
    assert LOCALES[language]["meta"]["direction"] == Locale.parse(language, sep="-").text_direction


def test_every_word_of_the_vocabulary_is_said() -> None:
    guide = (catalogue.HERE / "vendors" / "README.md").read_text("utf-8")
    words = set(re.findall(r"^\| `([a-z-]+)` \|", guide.partition("What a cookie is for")[2], re.M))
    assert set(ENGLISH["cookie_purposes"]) == words
