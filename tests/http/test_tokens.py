"""The colours of our pages: what is written can be read, what is drawn can be seen, in light and dark."""

import re

import pytest

from consent_server.core.resources import ROOT
from consent_server.sites.rules_colours import BOUNDARY_CONTRAST, TEXT_CONTRAST, contrast

SHEET = (ROOT / "consent_server" / "http" / "assets" / "tokens.css").read_text("utf-8")
MEANINGS = ("good", "warn", "bad", "neutral")
READ = [(ink, on) for ink in ("text", "quiet", "accent") for on in ("ground", "surface", "sunken")]
READ += [(ink, f"{ink}-ground") for ink in MEANINGS] + [(ink, on) for ink in MEANINGS for on in ("ground", "surface")]
READ += [("on-accent", "accent"), ("text", "accent-ground"), ("accent", "accent-ground")]
SEEN = [("edge", "surface"), ("edge", "ground")]


def schemes() -> dict[str, dict[str, str]]:
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in _blocks())
    assert light.keys() == dark.keys()
    return {"light": light, "dark": dark}


def _blocks() -> tuple[str, str]:
    light, _, rest = SHEET.partition("@media screen and (prefers-color-scheme: dark)")
    return light, rest.partition("@media print")[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_is_read_and_what_is_drawn_is_seen(scheme: str) -> None:
    colours = schemes()[scheme]
    faint = [pair for pair in READ if contrast(colours[pair[0]], colours[pair[1]]) < TEXT_CONTRAST]
    faint += [pair for pair in SEEN if contrast(colours[pair[0]], colours[pair[1]]) < BOUNDARY_CONTRAST]
    assert faint == []
