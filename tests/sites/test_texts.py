"""Texts of a site file: seen by whoever reads them, and in one form whatever they were typed on."""

import pytest

from consent_server.sites.site_file import read_site_file
from tests.support.factories import ANALYTICS, TABLES, TOP, site_file
from tests.support.sites import faults

PURPOSE = "".join(
    f'[purposes.shop-ads.texts.{language}]\ntitle = "Ads"\nphrase = "p"\ntext = "t"\n' for language in ("en", "fr")
)
NAMES = {
    "name": lambda name: site_file(TOP.replace("Example Shop", name)),
    "controller.name": lambda name: site_file(tables=TABLES.replace("Example Shop Ltd", name)),
    "purposes.shop-ads.texts.en.title": lambda name: site_file(
        vendors=f'{PURPOSE.replace("Ads", name, 1)}{ANALYTICS}purposes = ["shop-ads"]\n'
    ),
}
UNSEEN = {
    "\\u200b": "U+200B", "Shop\\ufeff": "U+FEFF", "Shop\\u202epohS": "U+202E", "Shop\\u2066": "U+2066",
    "\\u3164": "no character that is seen", "\\u2800 \\u00a0": "no character that is seen", "\\u0301": "seen",
    "Shop\\U000e0041": "U+E0041", "Shop\\u2028": "one line", "\\u200d": "no character that is seen",
}  # fmt: skip


@pytest.mark.parametrize("place", NAMES)
def test_what_nobody_sees_is_no_name(place: str) -> None:
    for name, says in UNSEEN.items():
        found = faults(NAMES[place](name))
        assert found.keys() == {place}, name
        assert says in found[place]


@pytest.mark.parametrize(
    "name",
    ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u05e9\u05dc\u05d5\u05dd\u200e",
     "\U0001f469\u200d\U0001f4bb", "Schiff\u00adfahrt", "\u0915\u094d\u200d\u0937"],
)  # fmt: skip
def test_joiners_and_marks_of_a_script_stay(name: str) -> None:
    assert read_site_file(NAMES["name"](name))["name"] == name


def test_one_text_has_one_form_whatever_it_was_typed_on() -> None:
    composed = site_file(f'{TOP}[texts.fr]\ntitle = "Pr\u00e9f\u00e9rences"\n')
    decomposed = site_file(f'{TOP}[texts.fr]\ntitle = "Pre\u0301fe\\u0301rences"\n')
    assert read_site_file(decomposed) == read_site_file(composed)


def test_a_day_and_a_version_may_be_quoted_or_not() -> None:
    history = "[[policy.privacy.versions]]\nversion = '2026-03-01'\ndate = '2026-03-01'\n"
    quoted = site_file(tables=TABLES.replace("[policy.cookies]", f"{history}[policy.cookies]"))
    bare = quoted.replace("'2026-03-01'", "2026-03-01").replace('"2026-03-02"', "2026-03-02")
    assert read_site_file(bare) == read_site_file(quoted)
