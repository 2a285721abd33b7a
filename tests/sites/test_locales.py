"""Every language says everything, in its own words and in all its plural forms."""

import re
from collections import Counter
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
    form_of = Locale.parse(language, sep="-").plural_form
    # Of how many numbers each is the form: where it is that of one alone, the word may be the number, as a dual is.
    uses = Counter(map(form_of, range(1000)))
    for noun, said in LOCALES[language]["plural"].items():
        assert said.keys() == form_of.tags | {"other"}, noun
        assert all("{n}" in text or uses[form] == 1 for form, text in said.items()), noun


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
    # In several languages a date ends in a full stop of its own. Of a refusal the widget says no more than the day.
    wording, moment = Wording(language), datetime(2026, 12, 3, 17, tzinfo=UTC)
    for place, text in texts(language).items():
        at = wording.day(moment) if place == "preferences.mine_at" else wording.moment(moment)
        assert ".." not in text.replace("{at}", at).replace("{by}", wording.day(moment)), place


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


# In the words of each official version: withdrawal does not "affect" lawfulness (GDPR, Article 7(3)), which vouches for
# nothing; and third parties receive "data".
AFFECTS = {
    "ar": "يؤثر", "bg": "засяга", "cs": "dotčena", "da": "berører", "de": "unberührt", "el": "θίγει", "en": "affect",
    "es": "afecta", "et": "mõjuta", "fi": "vaikuta", "fr": "compromet", "ga": "difear", "he": "פוגע", "hr": "utječe",
    "hu": "érinti", "is": "áhrif", "it": "pregiudica", "ja": "影響", "lt": "įtakos", "lv": "ietekmē",
    "mt": "jaffettwax", "nb": "påvirker", "nl": "onverlet", "pl": "wpływa", "pt": "compromete", "ro": "afectează",
    "sk": "vplyv",    "sl": "vpliva", "sv": "påverkar", "tr": "etkilemez", "uk": "впливає", "zh": "影响",
}  # fmt: skip
DATA = {
    "ar": "بيانات", "bg": "данни", "cs": "údaje", "da": "data", "de": "Daten", "el": "δεδομένα", "en": "data",
    "es": "datos", "et": "andmeid", "fi": "tietoja", "fr": "données", "ga": "sonraí", "he": "נתונים", "hr": "podatke",
    "hu": "adatokat", "is": "gögn", "it": "dati", "ja": "データ", "lt": "duomenis", "lv": "datus", "mt": "data",
    "nb": "data", "nl": "gegevens", "pl": "dane", "pt": "dados", "ro": "date", "sk": "údaje", "sl": "podatke",
    "sv": "uppgifter", "tr": "verileri", "uk": "дані", "zh": "数据",
}  # fmt: skip


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_no_text_claims_more_than_the_law(language: str) -> None:
    said = texts(language)
    for place in ("receipt.withdraw_text", "declaration.right_withdraw"):
        assert AFFECTS[language] in said[place], place
    # One press on a stand-in is consent: it says what goes where.
    for place in ("banner.placeholder", "banner.placeholder_purpose", "banner.advanced", "purposes.analytics.text"):
        assert DATA[language] in said[place], place


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_where_a_purpose_ends_is_clear_in_a_list_of_them(language: str) -> None:
    phrases = [purpose["phrase"] for purpose in LOCALES[language]["purposes"].values()]
    joint = Wording(language).listed(["", ""]).strip()
    assert [phrase for phrase in phrases if {joint, ","} & set(re.split(r"\b| ", phrase))] == []


@pytest.mark.parametrize(
    "language", [language for language in LOCALES if LOCALES[language]["meta"]["direction"] == "rtl"]
)
def test_a_reference_keeps_its_order_among_words_from_right_to_left(language: str) -> None:
    for place, text in leaves(LOCALES[language]):
        for run in re.finditer(r"[A-Za-z0-9./]+", text):
            # A full stop or a number before a letter is put on its other side, unless a mark says that all is Latin.
            assert not re.match(r"[.0-9].*[A-Za-z]", run[0]) or text[run.start() - 1] == "\u200e", place


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_the_direction_is_that_of_the_language(language: str) -> None:
    assert LOCALES[language]["meta"]["direction"] == Locale.parse(language, sep="-").text_direction


def test_every_word_of_the_vocabulary_is_said() -> None:
    guide = (catalogue.HERE / "vendors" / "README.md").read_text("utf-8")
    words = set(re.findall(r"^\| `([a-z-]+)` \|", guide.partition("What a cookie is for")[2], re.M))
    assert set(ENGLISH["cookie_purposes"]) == words
