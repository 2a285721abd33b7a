"""A site's own look on our pages: whatever it asks for, all that is written can be read."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent_server.http.tokens import page_colours
from consent_server.sites.rules_colours import banner_colours
from consent_server.sites.rules_page_colours import palette
from consent_server.sites.style_page import page_css
from tests.support.factories import VENDORS, notice_of, site_file
from tests.support.page_colours import faint_pairs

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
WISHED = st.fixed_dictionaries({"accent": COLOURS}, optional={"surface": COLOURS, "text": COLOURS})


@given(WISHED, WISHED)
@example({"accent": "#ffff00", "surface": "#767676"}, {"accent": "#ffff00", "surface": "#767676"})
@example({"accent": "#0000ff", "surface": "#808080", "text": "#808080"}, {"accent": "#00ff00", "text": "#000000"})
def test_every_colour_of_a_site_can_be_read_on_a_page(light: dict[str, str], dark: dict[str, str]) -> None:
    used, _ = banner_colours({**light, "dark": dark})
    for scheme, suffix in (("light", ""), ("dark", "_dark")):
        own = {name: used[name + suffix] for name in ("accent", "surface", "text") if name + suffix in used}
        base = page_colours()[scheme]
        assert faint_pairs({**base, **palette(base, own)}) == []


def sheet(banner: str) -> str:
    """The style sheet of a site with this in its `[banner]`."""
    return page_css(notice_of(site_file(vendors=f"[banner]\n{banner}\n{VENDORS}")).body)


def colours_in(css: str, rule: str) -> dict[str, str]:
    """What a rule of the sheet sets; media rules by the words that they begin with."""
    (inside,) = re.findall(re.escape(rule) + r"\{:root(?::not\(\.printing\))?\{([^}]*)\}", css)
    return dict(declared.split(":", 1) for declared in inside.split(";"))


def test_a_site_with_an_accent_changes_nothing_else() -> None:
    css = sheet('colours = { accent = "#b3123f" }')
    for rule in ("@media screen", "@media print", "@media screen and (prefers-color-scheme:dark)"):
        assert colours_in(css, rule).keys() == {"--accent", "--on-accent", "--accent-ground"}
    assert "--radius" not in css


def test_a_surface_of_one_scheme_leaves_the_other() -> None:
    css = sheet('colours = { surface = "#fff4e0" }')
    assert colours_in(css, "@media screen")["--surface"] == "#fff4e0"
    dark = colours_in(css, "@media screen and (prefers-color-scheme:dark)")
    assert dark["--surface"] == page_colours()["dark"]["surface"]
    assert dark.keys() == colours_in(css, "@media screen").keys()
    assert "--surface" not in colours_in(css, "@media print")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_site_of_one_scheme_has_it_on_every_screen(scheme: str) -> None:
    css = sheet(f'scheme = "{scheme}"\nradius = 0')
    only = colours_in(css, "@media screen")
    assert (only["color-scheme"], only["--surface"]) == (scheme, page_colours()[scheme]["surface"])
    assert "prefers-color-scheme" not in css
    assert ":root{--radius:0px;--radius-card:0px}" in css
