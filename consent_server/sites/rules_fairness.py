"""Rules that keep refusing as easy as accepting (docs/formats/site.md, section 7).

EDPB cookie banner taskforce report (2023) ¶8-18; CNIL recommendation 2020-092.
"""

import re
from collections.abc import Iterator, Mapping

from consent_server.core.errors import Fault

MAXIMUM_LENGTH_RATIO = 1.5
PLACEHOLDERS = {
    "intro": ("{name}", "{vendors}", "{purposes}", "{months}"),
    "placeholder": ("{vendor}",),
    "always": ("{vendor}",),
    "placeholder_purpose": ("{purpose}",),
    "always_purpose": ("{purpose}",),
}

_ONE_STYLE = re.compile(r"accept|refuse|reject|deny")
_HURRY = re.compile(r"accept_|refuse_|timeout|repeat|countdown")


def broken_by_key(place: str, key: str) -> str | None:
    """The rule that a site file breaks by having this key at all; None when the key is merely unknown."""
    if re.match(r"(experiment\.arms\[\d+\]\.)?banner", place) and _ONE_STYLE.search(key):
        return "accept and refuse share one style (one-style)"
    if _HURRY.search(key):
        return "both answers live equally long, and nothing presses for one (no-hurry)"
    return None


def text_faults(language: str, shown: Mapping[str, str], overridden: Mapping[str, str]) -> Iterator[Fault]:
    """Faults of a language's texts, after overrides."""
    place = f"texts.{language}"
    accept, refuse = shown["accept"].strip(), shown["refuse"].strip()
    if accept.casefold() == refuse.casefold():
        yield Fault(f"{place}.refuse", "accept and refuse say the same (both-answers)")
    elif max(len(accept), len(refuse)) > MAXIMUM_LENGTH_RATIO * min(len(accept), len(refuse)):
        yield Fault(f"{place}.refuse", "accept and refuse differ too much in length (both-answers)")
    for key, placeholders in PLACEHOLDERS.items():
        if key in overridden:
            yield from _placeholder_faults(f"{place}.{key}", overridden[key], placeholders)
    if "intro" in overridden and shown["reopen"] not in overridden["intro"]:
        yield Fault(f"{place}.intro", f"“{shown['reopen']}” is missing: say how to withdraw (words-kept)")


def _placeholder_faults(place: str, text: str, placeholders: tuple[str, ...]) -> Iterator[Fault]:
    for placeholder in placeholders:
        if text.count(placeholder) != 1:
            problem = "is missing" if placeholder not in text else "is there more than once"
            yield Fault(place, f"{placeholder} {problem} (words-kept)")
    for unknown in sorted(set(re.findall(r"\{[^{}]*\}?|\}", text)) - set(placeholders)):
        yield Fault(place, f"{unknown} is not known (words-kept)")
