"""The house rules that a machine can check: layers, sizes, pins, the committed build."""

import ast
import hashlib
import json
import re
from pathlib import Path

import brotli
import pytest

from consent_server.core.resources import ROOT

SERVER = ROOT / "consent_server"
WIDGET = ROOT / "static" / "widget"
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_TEMPLATE_LINE = 400, 40, 159
# Goes into every evidence pack as one file that needs nothing else.
STANDS_ALONE = SERVER / "audit" / "verify.py"
# What is generated, installed, or only about this machine is not the tree.
PASSED_OVER = {
    ".git", ".venv", "node_modules", "instance", "instance-demo", "__pycache__", ".mypy_cache", ".ruff_cache",
    ".pytest_cache", ".hypothesis", ".import_linter_cache", "test-results", "consent_server.egg-info",
}  # fmt: skip
TEXTS = {
    ".py", ".toml", ".md", ".ts", ".mjs", ".js", ".css", ".html", ".json", ".txt", ".sh", ".yml", ".yaml", ".lua",
    ".cfg", ".ini", ".mako", "",
}  # fmt: skip


def tree() -> list[Path]:
    """Every text file of the project."""
    return [
        path
        for path in sorted(ROOT.rglob("*"))
        if path.is_file() and path.suffix in TEXTS and PASSED_OVER.isdisjoint(path.relative_to(ROOT).parts)
    ]


@pytest.mark.parametrize("where", ["consent_server", "tests", "static/widget/src"])
def test_files_are_short(where: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tree()
        if path.is_relative_to(ROOT / where) and path != STANDS_ALONE and path.suffix in (".py", ".ts", ".css", ".html")
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_lines_of_templates_are_short() -> None:
    templates = list(SERVER.glob("*/templates/*.html"))
    long = {
        f"{path.relative_to(ROOT)}:{number}": len(line)
        for path in templates
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(line) > LONGEST_TEMPLATE_LINE
    }
    assert templates
    assert long == {}


def test_nine_functions_in_ten_are_short() -> None:
    lengths = sorted(
        node.end_lineno - node.lineno + 1
        for path in SERVER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    )
    assert lengths[len(lengths) // 2] < 12
    assert lengths[len(lengths) * 9 // 10] < LONGEST_FUNCTION


def test_the_built_widget_is_what_its_manifest_says() -> None:
    dist = WIDGET / "dist"
    manifest = json.loads((dist / "manifest.json").read_text("utf-8"))
    # Those are served; the types are for whoever writes the page, the licence for whoever hands them on.
    built = {str(path.relative_to(dist)) for path in dist.rglob("*") if path.is_file()}
    built -= {"manifest.json", "consent-widget.d.ts", "LICENSE"}
    assert manifest.keys() == built
    for name, said in manifest.items():
        data = (dist / name).read_bytes()
        assert said["bytes"] == len(data)
        assert said["sha256"] == hashlib.sha256(data).hexdigest()
        assert abs(said["brotli"] - len(brotli.compress(data))) < 0.03 * len(data)
        assert b"\n" not in data.strip()


def test_every_vendor_adapter_that_the_catalogue_names_is_built() -> None:
    catalogue = "".join(path.read_text("utf-8") for path in SERVER.glob("sites/vendors/*.toml"))
    named = set(re.findall(r'^adapter = "(\w+)"', catalogue, re.M))
    assert named == {path.stem for path in (WIDGET / "dist" / "vendors").glob("*.js")}


def test_python_packages_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text("utf-8").splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[\w+\])?==[0-9][\w.]*(\s+#.*)?", line), line


def test_node_packages_are_pinned_and_come_from_wherever_npm_is_told() -> None:
    assert "dependencies" not in json.loads((ROOT / "package.json").read_text("utf-8"))
    for folder in (ROOT, ROOT / "packages" / "embed" / "test-apps"):
        packages = json.loads((folder / "package.json").read_text("utf-8"))
        (kind,) = {"dependencies", "devDependencies"} & packages.keys()
        assert all(re.fullmatch(r"[0-9.]+", version) for version in packages[kind].values())
        lock = json.loads((folder / "package-lock.json").read_text("utf-8"))
        for name, package in lock["packages"].items():
            assert "resolved" not in package, name
            if name:
                assert package["integrity"].startswith("sha512-")


def test_nothing_is_left_to_do_and_nothing_names_a_machine() -> None:
    # Put together here, so that this file does not hold what it looks for.
    marks = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "X" * 3 + r"\b(?!-)"]))
    places = re.compile(r"(?<![\w./])/(work|home|root|Users|mnt)/\w")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tree()
        if path.name != "package-lock.json" and "dist" not in path.parts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if marks.search(line) or places.search(line)
    ]
    assert found == []


def test_the_files_that_people_look_for_first_are_there() -> None:
    formats = [f"docs/formats/{name}.md" for name in ("site", "receipt", "cookie")]
    for name in ("README.md", "CHANGELOG.md", "Makefile", ".ci/run", "docs/settings.md", *formats):
        assert (ROOT / name).is_file(), name
