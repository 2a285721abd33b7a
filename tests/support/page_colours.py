"""Which colours of our pages must be told apart, and how well."""

from collections.abc import Mapping

from consent_server.sites.rules_colours import BOUNDARY_CONTRAST, TEXT_CONTRAST, contrast

MEANINGS = ("good", "warn", "bad", "neutral")
READ = [(ink, on) for ink in ("text", "quiet", "accent") for on in ("ground", "surface", "sunken")]
READ += [(ink, f"{ink}-ground") for ink in MEANINGS] + [(ink, on) for ink in MEANINGS for on in ("ground", "surface")]
READ += [("on-accent", "accent"), ("text", "accent-ground"), ("accent", "accent-ground")]
SEEN = [("edge", "surface"), ("edge", "ground")]


def faint_pairs(colours: Mapping[str, str]) -> list[tuple[str, str]]:
    """What cannot be read on its ground, or seen beside it."""
    faint = [pair for pair in READ if contrast(colours[pair[0]], colours[pair[1]]) < TEXT_CONTRAST]
    return faint + [pair for pair in SEEN if contrast(colours[pair[0]], colours[pair[1]]) < BOUNDARY_CONTRAST]
