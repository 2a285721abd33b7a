"""Colours that can be read and seen: a brand's are moved as little as needed, never trusted.

WCAG 2.2, 1.4.3 (text) and 1.4.11 (boundaries); docs/formats/site.md, sections 4 and 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass

TEXT_CONTRAST = 4.5
BOUNDARY_CONTRAST = 3.0
# What is behind the banner of a site that names no surface: the system's Canvas colour. Of the dark ones that
# browsers use, the lightest.
SURFACES = {"light": "#ffffff", "dark": "#1e1e1e"}
# The widget's quiet text is the text with so much of the surface in it (common.css, opacity).
QUIET = 0.2
LINE = "#807d78"
BLACK, WHITE = "#000000", "#ffffff"


@dataclass(frozen=True, slots=True)
class Correction:
    """A colour that a site asked for and does not get. `name` is its place under `banner.colours`."""

    name: str
    given: str
    used: str


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two #rrggbb colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def banner_colours(wished: Mapping[str, object]) -> tuple[dict[str, str], list[Correction]]:
    """What the banner is painted with in light and dark (names that end in _dark), and what was corrected.

    Without a surface or text of the site's own the system's colours stay, and are not among these.
    A dark accent that was made from the light one is no correction: nobody asked for it.
    """
    light = {name: str(wished[name]).lower() for name in ("accent", "surface", "text") if name in wished}
    own = wished.get("dark")
    dark = {name: str(value).lower() for name, value in own.items()} if isinstance(own, Mapping) else {}
    used_light = _palette("light", light)
    used_dark = _palette("dark", {"accent": light["accent"], **dark})
    corrections = [Correction(name, light[name], used_light[name]) for name in light]
    corrections += [Correction(f"dark.{name}", dark[name], used_dark[name]) for name in dark]
    colours = used_light | {f"{name}_dark": colour for name, colour in used_dark.items()}
    return colours, [one for one in corrections if one.given != one.used]


def _palette(scheme: str, wished: Mapping[str, str]) -> dict[str, str]:
    surface = _surface(scheme, wished.get("surface", SURFACES[scheme]))
    strongest = text_on(surface)
    accent = _moved(wished["accent"], surface, BOUNDARY_CONTRAST)
    # On any colour black or white has 4.58:1 or more, so that this text needs no correction.
    used = {"accent": accent, "on_accent": text_on(accent)}
    if wished.keys() <= {"accent"}:
        return used
    text = _moved(wished.get("text", strongest), surface, TEXT_CONTRAST, QUIET)
    return used | {"surface": surface, "text": text, "line": _moved(LINE, surface, BOUNDARY_CONTRAST)}


def _surface(scheme: str, wished: str) -> str:
    # On a middling grey not even black or white can be read when it is quiet.
    end = WHITE if scheme == "light" else BLACK
    steps = (mix(wished, end, step / 100) for step in range(101))
    return next(one for one in steps if _readable(text_on(one), one, TEXT_CONTRAST, QUIET))


def _moved(colour: str, surface: str, minimum: float, faded: float = 0.0) -> str:
    # Towards the surface's opposite the contrast with it only grows, and at its end it is at its largest.
    steps = (mix(colour, text_on(surface), step / 100) for step in range(101))
    return next(one for one in steps if _readable(one, surface, minimum, faded))


def _readable(colour: str, surface: str, minimum: float, faded: float) -> bool:
    # Both: of two hues that are mixed the light of one may go before that of the other comes.
    return min(contrast(colour, surface), contrast(mix(colour, surface, faded), surface)) >= minimum


def text_on(colour: str) -> str:
    """Black or white, whichever is read better on this."""
    return max(WHITE, BLACK, key=lambda text: contrast(colour, text))


def mix(colour: str, other: str, share: float) -> str:
    """A colour with this share (0 to 1) of another in it, in sRGB as browsers blend."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
