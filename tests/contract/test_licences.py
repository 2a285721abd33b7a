"""Under which licence everything goes out, and that whatever it stands on permits that."""

import json
import re
import tomllib
from importlib.metadata import files, metadata
from typing import Any

import pytest
from packaging.licenses import canonicalize_license_expression

from docs.bill_of_materials import PIN, ROOT, bundled_packages

OURS = "Apache-2.0"
PERMITTED = {
    "Apache-2.0": "it is ours",
    "BSD-2-Clause": "asks for its notice alone",
    "BSD-3-Clause": "asks for its notice alone, and not to advertise with its authors",
    "MIT": "asks for its notice alone",
    "MIT-0": "asks for nothing",
    "PSF-2.0": "asks for its notice, and to say what was changed",
    "LGPL-3.0-only": "a library that is imported, that pip installs beside us, and that anybody can replace",
}
# What asks more of whoever hands it on than its notice: named, so that another one is thought about.
WEAK_COPYLEFT = {"psycopg", "psycopg-binary"}
CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: MIT License": "MIT",
}
# Their metadata says nothing; the first line of the licence's file does.
BY_FILE = {"crawler-user-agents": ("The MIT License (MIT)", "MIT")}

RUNTIME = [name for name, _ in PIN.findall((ROOT / "requirements.lock").read_text("utf-8"))]
MANIFESTS = ("package.json", "packages/embed/package.json", "packages/embed/test-apps/package.json")
# What people take along by itself.
TAKEN_ALONG = [*(ROOT / "examples" / "backend").iterdir(), ROOT / "consent_server" / "audit" / "verify.py"]


def licence_of(name: str) -> str:
    """The SPDX expression of an installed package."""
    said = metadata(name)
    if expressions := said.get_all("License-Expression"):
        return str(canonicalize_license_expression(expressions[0]))
    found = {CLASSIFIERS[line] for line in said.get_all("Classifier") or () if line in CLASSIFIERS}
    found |= {line for line in said.get_all("License") or () if line in PERMITTED}
    found |= by_file(name)
    assert len(found) == 1, f"{name}: {sorted(found)}"
    return found.pop()


def by_file(name: str) -> set[str]:
    if name not in BY_FILE:
        return set()
    title, licence = BY_FILE[name]
    (text,) = (path.read_text("utf-8") for path in files(name) or () if path.name == "LICENSE")
    return {licence} if text.startswith(title) else set()


def permits(expression: str) -> bool:
    """AND binds closer than OR (SPDX, annex D); of the packages none has brackets."""
    assert "(" not in expression
    return any(all(term in PERMITTED for term in choice.split(" AND ")) for choice in expression.split(" OR "))


def test_runtime_packages_permit_it() -> None:
    licences = {name: licence_of(name) for name in RUNTIME}
    assert len(licences) > 30
    assert {name: licence for name, licence in licences.items() if not permits(licence)} == {}
    assert {name for name, licence in licences.items() if "LGPL" in licence} == WEAK_COPYLEFT


@pytest.mark.parametrize("name", bundled_packages())
def test_a_bundled_package_permits_it_and_its_licence_goes_along(name: str) -> None:
    folder = ROOT / "node_modules" / name
    package: dict[str, Any] = json.loads((folder / "package.json").read_text("utf-8"))
    assert permits(package["license"])
    assert package["license"] != "LGPL-3.0-only", "it would be part of our own script"
    (licence,) = folder.glob("LICENSE*")
    notice = (ROOT / "NOTICE").read_text("utf-8")
    assert f"{name} {package['version']}, " in notice.replace("Chart.js", "chart.js")
    assert licence.read_text("utf-8").strip() in notice


def test_every_part_says_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    said = {"pyproject.toml": project["license"]}
    said |= {name: json.loads((ROOT / name).read_text("utf-8"))["license"] for name in MANIFESTS}
    interface = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
    said["docs/openapi.json"] = interface["info"]["license"]["identifier"]
    for name in ("consent-server.php", "readme.txt"):
        text = (ROOT / "integrations" / "wordpress" / "consent-server" / name).read_text("utf-8")
        said[name] = re.findall(r"^[ *]*License: (\S+)$", text, re.MULTILINE)[0]
    for path in TAKEN_ALONG:
        said[path.name] = re.findall(r"SPDX-License-Identifier: (\S+)$", path.read_text("utf-8"), re.MULTILINE)[0]
    assert len(said) > 10
    assert {part: licence for part, licence in said.items() if licence != OURS} == {}


def test_the_text_goes_with_whatever_is_handed_on_by_itself() -> None:
    text = (ROOT / "LICENSE").read_bytes()
    for folder in ("integrations/gtm", "integrations/wordpress/consent-server", "packages/embed", "static/widget/dist"):
        assert (ROOT / folder / "LICENSE").read_bytes() == text
