"""Print what a server is made of, as CycloneDX 1.6: `make sbom`.

The Python packages that it runs, and the npm packages that its scripts are built with. Of those only what is bundled
into a script of its pages is in it; the others are marked `excluded`.
"""

import base64
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ \\]+)", re.MULTILINE)
# What static/rates bundles; the widget has no package.
BUNDLED = ("chart.js",)


def bill(made_at: datetime | None = None) -> Bom:
    """All of it. The same packages at the same time are the same bill."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    made = Component(
        name=project["name"], version=project["version"], type=ComponentType.APPLICATION, bom_ref=project["name"]
    )
    bom = Bom(components=[*python_packages(), *npm_packages()], metadata=BomMetaData(component=made, timestamp=made_at))
    purls = sorted(f"{part.purl} {part.bom_ref}" for part in bom.components)
    bom.serial_number = uuid5(NAMESPACE_URL, "\n".join([project["name"], project["version"], *purls]))
    bom.register_dependency(made, (part for part in bom.components if part.scope is ComponentScope.REQUIRED))
    return bom


def python_packages() -> Iterator[Component]:
    """What requirements.lock pins, and holds by its hashes."""
    for name, version in PIN.findall((ROOT / "requirements.lock").read_text("utf-8")):
        purl = PackageURL("pypi", name=re.sub(r"[-_.]+", "-", name).lower(), version=version)
        yield Component(name=name, version=version, purl=purl, bom_ref=str(purl), scope=ComponentScope.REQUIRED)


def npm_packages() -> Iterator[Component]:
    """What package-lock.json pins, each with the hash of its file."""
    packages: dict[str, Any] = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    bundled = bundled_packages()
    for place, package in packages.items():
        if not place:
            continue
        path = place.rpartition("node_modules/")[2]
        namespace, _, name = path.rpartition("/")
        purl = PackageURL("npm", namespace or None, name, package["version"])
        yield Component(
            name=name, group=namespace or None, version=package["version"], purl=purl, bom_ref=f"{purl}#{place}",
            scope=ComponentScope.REQUIRED if path in bundled else ComponentScope.EXCLUDED,
            hashes=[_hash(package["integrity"])],
        )  # fmt: skip


def bundled_packages() -> list[str]:
    """The npm packages of which something is in what a server serves, with what those need."""
    packages: dict[str, Any] = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    found, waiting = set[str](), list(BUNDLED)
    while waiting:
        found.add(path := waiting.pop())
        waiting += packages[f"node_modules/{path}"].get("dependencies", ())
    return sorted(found)


def _hash(integrity: str) -> HashType:
    algorithm, _, digest = integrity.partition("-")
    named = {"sha512": HashAlgorithm.SHA_512, "sha256": HashAlgorithm.SHA_256, "sha1": HashAlgorithm.SHA_1}
    return HashType(alg=named[algorithm], content=base64.b64decode(digest).hex())


if __name__ == "__main__":
    sys.stdout.write(JsonV1Dot6(bill()).output_as_string(indent=1) + "\n")
