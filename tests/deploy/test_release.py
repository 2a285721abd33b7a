"""`make release`, whole: from a clone at a version that is yet to come."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from release.places import ROOT

VERSION, NEW = "99.0.0", "- Something that is new."
AUTHOR = ["-c", "user.name=Tests", "-c", "user.email=tests@shop.example"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def released(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of two releases of one commit, each from a clone of its own."""
    if not pytestconfig.getoption("--slow"):
        pytest.skip("before a release: pytest --slow")
    first, second = (tmp_path_factory.mktemp(name) / "clone" for name in ("first", "second"))
    clone(ROOT, first)
    log = first / "CHANGELOG.md"
    log.write_text(log.read_text("utf-8").replace("## Unreleased\n\n", f"## Unreleased\n\n{NEW}\n\n", 1), "utf-8")
    run(first, "release.places", VERSION)
    subprocess.run(["git", *AUTHOR, "commit", "--quiet", "--all", "--message", "cut"], cwd=first, check=True)
    clone(first, second)
    for tree in (first, second):
        run(tree, "release.build", "dist")
    return first / "dist", second / "dist"


def clone(source: Path, target: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", source, target], check=True)
    # What is ignored in a checkout is a folder.
    (target / ".git" / "info" / "exclude").write_text("/node_modules\n")
    (target / "node_modules").symlink_to((ROOT / "node_modules").resolve())


def run(tree: Path, module: str, *arguments: str) -> None:
    environ = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=tree, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_are_the_same_bytes(released: tuple[Path, Path]) -> None:
    first, second = released
    assert (first / "SHA256SUMS").read_text() == (second / "SHA256SUMS").read_text()
    subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=second, check=True)


def test_it_has_all_that_goes_out(released: tuple[Path, Path]) -> None:
    assert {path.name for path in released[0].iterdir()} == {
        f"consent_server-{VERSION}-py3-none-any.whl", f"consent_server-{VERSION}.tar.gz",
        f"consent-server-embed-{VERSION}.tgz", f"consent-server-wordpress-{VERSION}.zip",
        f"consent-server-gtm-{VERSION}.zip", f"consent-server-{VERSION}.cdx.json", "RELEASE_NOTES.md", "SHA256SUMS",
    }  # fmt: skip


def test_each_says_its_version_and_holds_the_licence(released: tuple[Path, Path]) -> None:
    folder, licence = released[0], (ROOT / "LICENSE").read_bytes()
    with zipfile.ZipFile(folder / f"consent_server-{VERSION}-py3-none-any.whl") as wheel:
        inside = f"consent_server-{VERSION}.dist-info"
        said = message_from_bytes(wheel.read(f"{inside}/METADATA"))
        assert (said["Version"], said["License-Expression"]) == (VERSION, "Apache-2.0")
        assert wheel.read(f"{inside}/licenses/LICENSE") == licence
        assert wheel.read(f"{inside}/licenses/NOTICE") == (ROOT / "NOTICE").read_bytes()
    with tarfile.open(folder / f"consent-server-embed-{VERSION}.tgz") as package:
        manifest, text = (package.extractfile(f"package/{name}") for name in ("package.json", "LICENSE"))
        assert manifest
        assert text
        assert json.load(manifest)["version"] == VERSION
        assert text.read() == licence
        assert "package/dist/react.js" in package.getnames()
    with zipfile.ZipFile(folder / f"consent-server-wordpress-{VERSION}.zip") as plugin:
        assert f"* Version: {VERSION}\n".encode() in plugin.read("consent-server/consent-server.php")
        assert plugin.read("consent-server/LICENSE") == licence
    with zipfile.ZipFile(folder / f"consent-server-gtm-{VERSION}.zip") as template:
        assert {"template.tpl", "metadata.yaml"} < set(template.namelist())
        assert template.read("LICENSE") == licence


def test_its_notes_are_what_was_unreleased(released: tuple[Path, Path]) -> None:
    notes = (released[0] / "RELEASE_NOTES.md").read_text("utf-8")
    assert notes.startswith(f"# Consent server {VERSION}\n\n{NEW}\n")
    assert "\n## " not in notes
