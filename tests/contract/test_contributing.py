"""Each recipe of CONTRIBUTING.md, and the map in docs/architecture.md, names files that are there."""

import re

import pytest

from consent_server.core.settings import ROOT

PATH = re.compile(r"`((?:consent_server|static|tests|docs|migrations)/[^`\s]*|[A-Z]+\.md)`")
RECIPES = dict(
    re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
)
KINDS = (
    "vendor", "language", "layout", "claim of the receipt", "column of the rates", "refusal", "role",
    "file in the evidence pack", "metric", "setting",
)  # fmt: skip


def nowhere(text: str) -> list[str]:
    """Paths of a text that lead to nothing. A word in capitals stands for any name."""
    return [path for path in PATH.findall(text) if not list(ROOT.glob(re.sub(r"\b[A-Z]+\b(?!\.md)", "*", path)))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_names_files_that_are_there(kind: str) -> None:
    recipe = RECIPES[f"A {kind}"]
    assert len(PATH.findall(recipe)) >= 2
    assert nowhere(recipe) == []


def test_the_map_names_what_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert nowhere(text) == []
    rooms = {path.parent.name for path in ROOT.glob("consent_server/*/__init__.py")}
    assert rooms == set(re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE))
