"""A fault of a site file is told with the line in which it is mended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.sites.rules_lines import line_of, lines_of
from tests.support.factories import CALLBELL

FILE = '''\
key = "shop"
# [comment]
[controller]
name = "A"

[texts.fr]
intro = """
title = no key
[nothing]
"""
"title" = "x"
[[vendors]]
key = "a"
[vendors.operator]
name = "O"
[[vendors]]
key = "b"
purposes = [
  "analytics",
]
[[vendors.cookies]]
name = "_b"
[[vendors.cookies]]
name = "_c"
[banner.colours]
accent = "#000000"
'''
PLACES = {
    "key": 1, "controller": 3, "controller.name": 4, "controller.contact": 3, "texts.fr.intro": 7, "texts.fr.title": 11,
    "vendors[0].key": 13, "vendors[0].operator.name": 15, "vendors[1].key": 17, "vendors[1].purposes[0]": 18,
    "vendors[1].cookies[0].name": 22, "vendors[1].cookies[1].name": 24, "banner.colours.accent": 26,
    "vendors[1].id": 16, "policy.privacy": None, "TOML": None, "languages[0]": None,
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_in_its_line_or_in_that_of_what_holds_it(place: str) -> None:
    assert line_of(lines_of(FILE), place) == PLACES[place]


def test_each_key_of_the_example_is_found() -> None:
    lines = lines_of(CALLBELL.read_text("utf-8"))
    said = CALLBELL.read_text("utf-8").splitlines()
    assert len(lines) > 50
    assert all(path.split(".")[-1].split("[")[0] in said[number - 1] for path, number in lines.items())


@given(st.text())
def test_any_text_has_lines(text: str) -> None:
    assert all(1 <= line <= len(text.splitlines()) for line in lines_of(text).values())
