"""No design makes refusing harder."""

import pytest

from consent_server.sites.rules_fairness import broken_by_key, text_faults


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
