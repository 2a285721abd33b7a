"""Buttons can be read whatever brand colour is asked for, and no design makes refusing harder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.domain.fairness import SURFACES, broken_by_key, button_colours, contrast, text_faults

COLOURS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@given(COLOURS)
def test_buttons_are_readable_and_visible_in_light_and_dark(accent: str) -> None:
    colours = button_colours(accent)
    assert colours.keys() == {"accent", "on_accent", "accent_dark", "on_accent_dark"}
    for name, surface in (("accent", "light"), ("accent_dark", "dark")):
        assert contrast(colours[name], colours[name.replace("accent", "on_accent")]) >= 4.5
        assert contrast(colours[name], SURFACES[surface]) >= 4.5


@given(COLOURS)
def test_a_colour_that_is_good_stays(accent: str) -> None:
    once = button_colours(accent)["accent"]
    assert button_colours(once)["accent"] == once


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54),
     ("#0000ff", "#ffffff", 8.59)],
)  # fmt: skip
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize(
    ("place", "key", "rule"),
    [
        ("banner", "accept_colour", "one-style"), ("banner.colours", "refuse", "one-style"),
        ("banner.colours", "reject", "one-style"), ("banner", "deny_text", "one-style"),
        ("", "accept_days", "no-hurry"),
        ("", "refuse_days", "no-hurry"), ("banner", "timeout", "no-hurry"), ("", "repeat_after", "no-hurry"),
        ("banner", "countdown", "no-hurry"),
    ],
)  # fmt: skip
def test_keys_that_press_are_refused_by_their_rule(place: str, key: str, rule: str) -> None:
    assert f"({rule})" in str(broken_by_key(place, key))


def test_other_keys_are_merely_unknown() -> None:
    assert broken_by_key("", "colour") is None
    assert broken_by_key("banner", "size") is None


def rules(overridden: dict[str, str]) -> list[str]:
    shown = {"accept": "Accept all", "refuse": "Reject all", "reopen": "Cookie settings"} | overridden
    return sorted({fault.detail.rpartition("(")[2].rstrip(")") for fault in text_faults("en", shown, overridden)})


INTRO = "{name} and {vendors} ask for {purposes} for {months}. Cookie settings."


@pytest.mark.parametrize(
    ("overridden", "broken"),
    [
        ({}, []), ({"accept": "Yes", "refuse": "No"}, []), ({"accept": "yes", "refuse": "YES"}, ["both-answers"]),
        ({"accept": "Okay, I accept it"}, ["both-answers"]), ({"refuse": "Refuse everything"}, ["both-answers"]),
        ({"accept": "123456789012345"}, []), ({"accept": "1234567890123456"}, ["both-answers"]),
        ({"accept": " ", "refuse": " "}, ["both-answers"]), ({"refuse": " "}, ["both-answers"]),
        ({"intro": INTRO}, []), ({"intro": INTRO.replace("{months}", "long")}, ["words-kept"]),
        ({"intro": INTRO.replace("Cookie settings", "")}, ["words-kept"]),
        ({"intro": INTRO + "{name}"}, ["words-kept"]),
        ({"intro": INTRO + "{site}"}, ["words-kept"]), ({"intro": INTRO + "{"}, ["words-kept"]),
        ({"intro": INTRO + "}"}, ["words-kept"]), ({"intro": INTRO.replace("{name}", "{name!r}")}, ["words-kept"]),
        ({"intro": INTRO.replace("{name}", "{{name}}")}, ["words-kept"]),
        ({"placeholder": "Blocked"}, ["words-kept"]), ({"always": "Always"}, ["words-kept"]),
        ({"always": "Always {vendor}"}, []),
    ],
)  # fmt: skip
def test_texts_keep_their_words(overridden: dict[str, str], broken: list[str]) -> None:
    assert rules(overridden) == broken
