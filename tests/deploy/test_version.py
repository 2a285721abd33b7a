"""The version stands in seven places: they agree, and are set together."""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from consent_server import __version__
from release import changelog
from release.build import require_clean
from release.places import PLACES, ROOT, agreed, set_version
from release.refused import Refused

TODAY = date(2027, 1, 2)
LOG = "CHANGELOG.md"
NOTHING_NEW = "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-11-30\n\n- Old.\n"
SOMETHING_NEW = NOTHING_NEW.replace("## 0.2.0", "### Added\n\n- New.\n\n## 0.2.0")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Every file with the version in it, at 0.2.0, and something unreleased."""
    for name in {name for name, _ in PLACES}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / name).read_text("utf-8").replace(__version__, "0.2.0")
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / LOG).write_text(SOMETHING_NEW, "utf-8")
    return tmp_path


def contents(tree: Path) -> dict[str, str]:
    return {str(path): path.read_text("utf-8") for path in tree.rglob("*") if path.is_file()}


def test_the_tree_has_one_version() -> None:
    assert agreed(ROOT) == __version__


def test_the_changelog_has_a_part_for_it() -> None:
    parts = changelog.sections((ROOT / LOG).read_text("utf-8"))
    assert next(iter(parts)) == "Unreleased"
    assert parts[__version__]


def test_a_version_is_set_everywhere_and_the_changelog_is_cut(tree: Path) -> None:
    set_version(tree, "0.10.0", TODAY)
    assert agreed(tree) == "0.10.0"
    text = (tree / LOG).read_text("utf-8")
    assert text == SOMETHING_NEW.replace("## Unreleased\n", "## Unreleased\n\n## 0.10.0 - 2027-01-02\n")
    assert changelog.notes(text, "0.10.0") == "# Consent server 0.10.0\n\n### Added\n\n- New.\n"


@pytest.mark.parametrize("version", ["0.3", "v0.3.0", "0.3.0\n", "0.03.0", "0.3.0-rc.1", "0.2.0", "0.1.9", ""])
def test_what_is_no_later_version_is_refused_and_changes_nothing(tree: Path, version: str) -> None:
    before = contents(tree)
    with pytest.raises(Refused):
        set_version(tree, version, TODAY)
    assert contents(tree) == before


def test_a_version_of_nothing_new_is_refused_and_changes_nothing(tree: Path) -> None:
    (tree / LOG).write_text(NOTHING_NEW, "utf-8")
    before = contents(tree)
    with pytest.raises(Refused, match="what is new"):
        set_version(tree, "0.3.0", TODAY)
    assert contents(tree) == before


@pytest.mark.parametrize("name", sorted({name for name, _ in PLACES}))
def test_a_place_that_differs_is_named(tree: Path, name: str) -> None:
    text = (tree / name).read_text("utf-8")
    (tree / name).write_text(text.replace("0.2.0", "0.2.1", 1), "utf-8")
    with pytest.raises(Refused, match=rf"0\.2\.1 +{name}"):
        agreed(tree)


def test_a_release_has_nothing_that_its_notes_do_not_say() -> None:
    with pytest.raises(Refused, match="Unreleased"):
        changelog.notes(SOMETHING_NEW, "0.2.0")
    with pytest.raises(Refused, match=r"says nothing of 0\.3\.0"):
        changelog.notes(NOTHING_NEW, "0.3.0")


def test_a_release_is_made_of_what_is_committed(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    require_clean(tmp_path)
    shutil.copy(ROOT / LOG, tmp_path)
    with pytest.raises(Refused, match=LOG):
        require_clean(tmp_path)
