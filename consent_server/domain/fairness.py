"""Rules that keep refusing as easy as accepting (docs/formats/site.md, section 7).

EDPB cookie banner taskforce report (2023) ¶8-18; CNIL recommendation 2020-092.
"""

import re
from collections.abc import Iterator, Mapping

from consent_server.domain.errors import Fault

MINIMUM_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
MAXIMUM_LENGTH_RATIO = 1.5
PLACEHOLDERS = {
    "intro": ("{name}", "{vendors}", "{purposes}", "{months}"),
    "placeholder": ("{vendor}",),
    "always": ("{vendor}",),
}
# What is behind the buttons: the system's Canvas colour. Of the dark ones that browsers use, the lightest.
SURFACES = {"light": "#ffffff", "dark": "#1e1e1e"}

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


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two #rrggbb colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def button_colours(accent: str) -> dict[str, str]:
    """The brand colour, moved as little as needed until buttons can be read and seen, in light and dark."""
    light = _readable(accent, SURFACES["light"], towards="#000000")
    dark = _readable(accent, SURFACES["dark"], towards="#ffffff")
    return {
        "accent": light,
        "on_accent": _text_on(light),
        "accent_dark": dark,
        "on_accent_dark": _text_on(dark),
    }


def _readable(accent: str, surface: str, towards: str) -> str:
    # Towards the surface's opposite the contrast with it only grows, and at its end it is at its largest.
    for step in range(101):
        mixed = _mix(accent, towards, step / 100)
        if contrast(mixed, surface) >= MINIMUM_CONTRAST and contrast(mixed, _text_on(mixed)) >= MINIMUM_CONTRAST:
            return mixed
    return towards


def _text_on(colour: str) -> str:
    return max("#ffffff", "#000000", key=lambda text: contrast(colour, text))


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
