"""Text can be read and boundaries seen whatever a brand asks for, and no more is moved than must be."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent_server.sites.rules_colours import LINE, QUIET, SURFACES, Correction, banner_colours, contrast, mix

COLOURS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
WISHES = st.fixed_dictionaries({}, optional={"accent": COLOURS, "surface": COLOURS, "text": COLOURS})
THEMES = st.builds(lambda light, dark, accent: {"accent": accent, **light, "dark": dark}, WISHES, WISHES, COLOURS)


# Red on green: quiet it is read better than as it is.
@given(THEMES)
@example({"accent": "#000000", "dark": {"accent": "#000000", "text": "#800000", "surface": "#00c000"}})
def test_what_is_painted_is_read_and_seen(wished: dict[str, object]) -> None:
    colours, _ = banner_colours(wished)
    for scheme, suffix in (("light", ""), ("dark", "_dark")):
        accent = colours[f"accent{suffix}"]
        surface = colours.get(f"surface{suffix}", SURFACES[scheme])
        line = colours.get(f"line{suffix}", LINE)
        assert contrast(accent, colours[f"on_accent{suffix}"]) >= 4.5
        assert contrast(accent, surface) >= 3
        assert contrast(line, surface) >= 3
        if text := colours.get(f"text{suffix}"):
            assert contrast(text, surface) >= 4.5
            assert contrast(mix(text, surface, QUIET), surface) >= 4.5


@given(THEMES)
def test_what_is_good_stays_and_what_is_not_is_said(wished: dict[str, object]) -> None:
    colours, corrections = banner_colours(wished)
    said = {one.name: one.used for one in corrections}
    for name in ("accent", "surface", "text"):
        if name in wished:
            assert said.get(name, wished[name]) == colours[name]
    parts = ("accent", "surface", "text")
    dark = {name: colours[f"{name}_dark"] for name in parts if f"{name}_dark" in colours}
    assert banner_colours({**{name: colours[name] for name in parts if name in colours}, "dark": dark})[1] == []


def test_the_dark_accent_that_nobody_asked_for_is_no_correction() -> None:
    colours, corrections = banner_colours({"accent": "#3b5bdb"})
    assert colours["accent"] == "#3b5bdb"
    assert colours["accent_dark"] != "#3b5bdb"
    assert corrections == []


def test_a_pale_brand_is_darkened_and_a_dark_one_lightened_each_where_it_cannot_be_seen() -> None:
    _, corrections = banner_colours({"accent": "#FFEE00", "dark": {"accent": "#101030", "surface": "#000000"}})
    assert [(one.name, one.given) for one in corrections] == [("accent", "#ffee00"), ("dark.accent", "#101030")]
    assert contrast(corrections[0].used, "#ffffff") < 3.2
    assert contrast(corrections[1].used, "#000000") < 3.2


def test_a_grey_on_which_nothing_can_be_read_gives_way_itself() -> None:
    colours, corrections = banner_colours({"accent": "#3b5bdb", "surface": "#808080"})
    assert Correction("surface", "#808080", colours["surface"]) in corrections


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54),
     ("#0000ff", "#ffffff", 8.59)],
)  # fmt: skip
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)
