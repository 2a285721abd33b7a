"""What is installed: each package at one version, held by its hashes, and named in the bill of materials."""

import json
import re
import tomllib
from typing import Any

import pytest
from cyclonedx.output.json import JsonV1Dot6

from consent_server.core.resources import ROOT
from docs.bill_of_materials import bill

PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[\w+\])?==([^ \\\n]+)", re.MULTILINE)


def pins(*names: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        for package, version in PIN.findall((ROOT / name).read_text("utf-8")):
            found[re.sub(r"[-_.]+", "-", package).lower()] = version
    return found


@pytest.mark.parametrize(
    ("lock", "sources"),
    [
        ("requirements.lock", ("requirements.txt",)),
        ("requirements-build.lock", ("requirements-build.txt",)),
        ("requirements-dev.lock", ("requirements.txt", "requirements-dev.txt")),
    ],
)
def test_every_package_is_held_by_its_hashes(lock: str, sources: tuple[str, ...]) -> None:
    assert pins(lock) == pins(*sources), "Run `make lock`."
    text = (ROOT / lock).read_text("utf-8")
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert re.fullmatch(r"\S+==\S+(?: ; [^\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+", block), block[:80]


def test_a_wheel_is_built_with_the_same_packages_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    build = pins("requirements-build.txt")
    assert dict(one.split("==") for one in project["build-system"]["requires"]).items() <= build.items()
    assert build.items() <= pins("requirements.txt", "requirements-dev.txt").items()


def test_no_file_of_packages_names_a_registry() -> None:
    for path in ROOT.glob("requirements*"):
        assert "://" not in path.read_text("utf-8")


def test_the_bill_of_materials_has_every_package() -> None:
    document: dict[str, Any] = json.loads(JsonV1Dot6(bill()).output_as_string())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "consent-server"
    parts = {part["purl"].partition("@")[0]: part for part in document["components"] if "%40" not in part["purl"]}
    run = {purl for purl, part in parts.items() if part["scope"] == "required"}
    assert {f"pkg:pypi/{name}" for name in pins("requirements.txt")} <= run
    assert parts["pkg:pypi/flask"]["version"] == pins("requirements.txt")["flask"]
    # One script of the consoles has a package in it; what builds and tests is not what runs.
    assert "pkg:npm/chart.js" in run
    assert "pkg:npm/typescript" not in run
    installed = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    assert len([part for part in document["components"] if part["purl"].startswith("pkg:npm/")]) == len(installed) - 1
    assert all(part["hashes"] for part in document["components"] if part["purl"].startswith("pkg:npm/"))
