"""A site's colours on our pages: what its banner is painted with, and all that a page has beside it.

WCAG 2.2, 1.4.3 and 1.4.11: whatever a site asked for, text has 4.5:1 on each ground of the page, and edges 3:1.
"""

from collections.abc import Mapping, Sequence

from consent_server.sites.rules_colours import (
    BOUNDARY_CONTRAST,
    LINE,
    TEXT_CONTRAST,
    contrast,
    mix,
    text_on,
)

MEANINGS = ("good", "warn", "bad", "neutral")
# How much of its ink a ground has at most: the page behind cards, what is sunken into them, and coloured ones.
GROUND, SUNKEN, TINT = 0.03, 0.06, 0.1
QUIET, FAINT = 0.25, 0.14


def palette(base: Mapping[str, str], wished: Mapping[str, str]) -> dict[str, str]:
    """What differs from the colours that pages have by themselves (`base`) where a site has these in one scheme.

    `wished` are an accent and, if the site names its own, a surface and a text; each #rrggbb.
    """
    own = _paper(base, wished["surface"], wished["text"]) if {"surface", "text"} <= wished.keys() else {}
    colours = {**base, **own}
    if "accent" not in wished:
        return own
    tint = _tinted(colours["surface"], wished["accent"], [colours["text"]])
    accent = _moved(wished["accent"], [*_grounds(colours), tint], TEXT_CONTRAST)
    return own | {"accent": accent, "on-accent": text_on(accent), "accent-ground": tint}


def _paper(base: Mapping[str, str], surface: str, text: str) -> dict[str, str]:
    paper = {
        "surface": surface,
        "ground": _tinted(surface, text, [text], GROUND),
        "sunken": _tinted(surface, text, [text], SUNKEN),
    }
    grounds = [*paper.values()]
    paper |= {
        "text": _moved(text, grounds, TEXT_CONTRAST),
        "quiet": _moved(mix(text, surface, QUIET), grounds, TEXT_CONTRAST),
        "line": mix(surface, text, FAINT),
        "edge": _moved(LINE, grounds, BOUNDARY_CONTRAST),
    }
    for meaning in MEANINGS:
        tint = _tinted(surface, base[meaning], [])
        paper |= {meaning: _moved(base[meaning], [*grounds, tint], TEXT_CONTRAST), f"{meaning}-ground": tint}
    return paper


def _grounds(colours: Mapping[str, str]) -> list[str]:
    return [colours[name] for name in ("surface", "ground", "sunken")]


def _tinted(surface: str, ink: str, texts: Sequence[str], most: float = TINT) -> str:
    """A surface with some ink in it, on which these texts and the strongest one are read still."""
    steps = (mix(surface, ink, most * step / 20) for step in range(20, -1, -1))
    strongest = text_on(surface)
    return next(
        (one for one in steps if min(contrast(text, one) for text in (strongest, *texts)) >= TEXT_CONTRAST), surface
    )


def _moved(colour: str, grounds: Sequence[str], minimum: float) -> str:
    # Towards black or white, whichever is read on the surface: there the contrast with all of them is at its largest.
    steps = (mix(colour, text_on(grounds[0]), step / 100) for step in range(101))
    return next(one for one in steps if min(contrast(one, ground) for ground in grounds) >= minimum)
