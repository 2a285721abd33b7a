"""Each recipe of CONTRIBUTING.md, and the map in docs/architecture.md, names files that are there."""

import re
from pathlib import Path

import pytest

from consent_server.core.resources import ROOT

PATH = re.compile(r"`((?:consent_server|static|tests|docs|migrations)/[^`\s]*|[A-Z]+\.md)`")
# What a recipe says is in a file: "`NAMES` in `consent_server/audit/verify.py`".
NAMED = re.compile(r"`([A-Za-z_.]+)` in\s+`([^`\s]+/[^`\s]+)`")
RECIPES = dict(
    re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
)
KINDS = (
    "vendor", "language", "layout", "claim of the receipt", "column of the rates", "refusal", "role",
    "file in the evidence pack", "metric", "setting", "law that changed",
)  # fmt: skip


def nowhere(text: str) -> list[str]:
    """Paths of a text that lead to nothing. A word in capitals stands for any name."""
    return [path for path in PATH.findall(text) if not files(path)]


def files(path: str) -> list[Path]:
    return list(ROOT.glob(re.sub(r"\b[A-Z]+\b(?!\.md)", "*", path)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_names_files_that_are_there(kind: str) -> None:
    recipe = RECIPES[f"A {kind}"]
    assert len(PATH.findall(recipe)) >= 2
    assert nowhere(recipe) == []


def test_what_a_recipe_says_is_in_a_file_is_there() -> None:
    named = NAMED.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert len(named) >= 7
    assert [
        (name, path) for name, path in named if not any(name in file.read_text("utf-8") for file in files(path))
    ] == []


def test_the_map_names_what_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert nowhere(text) == []
    rooms = {path.parent.name for path in ROOT.glob("consent_server/*/__init__.py")}
    assert rooms == set(re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE))
