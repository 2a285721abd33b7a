"""CHANGELOG.md: what is unreleased becomes a version, and a version's part becomes its release notes."""

import re
from datetime import date

from release.refused import Refused

HEADING = re.compile(r"^## (Unreleased|\d+\.\d+\.\d+)(?: - (\d{4}-\d\d-\d\d))?$", re.MULTILINE)
EMPTY = "## Unreleased\n\n"


def sections(text: str) -> dict[str, str]:
    """What stands under each version, newest first."""
    found = list(HEADING.finditer(text))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    return {
        heading[1]: text[heading.end() : end].strip("\n") for heading, end in zip(found, ends, strict=True)
    }  # fmt: skip


def cut(text: str, version: str, today: date) -> str:
    """The changelog with what is unreleased under a version and a date."""
    said = sections(text)
    if not said.get("Unreleased"):
        raise Refused("CHANGELOG.md has nothing under Unreleased: what is new in this version?")
    if version in said:
        raise Refused(f"CHANGELOG.md has {version} already.")
    return text.replace(EMPTY, f"{EMPTY}## {version} - {today}\n\n", 1)


def notes(text: str, version: str) -> str:
    """What is new in a version, for whoever hears of it. Raises Refused where something newer is not cut yet."""
    said = sections(text)
    if not said.get(version):
        raise Refused(f"CHANGELOG.md says nothing of {version}. `make version V=…` cuts what is unreleased.")
    if said.get("Unreleased"):
        raise Refused(
            "CHANGELOG.md has something under Unreleased, which would be in the release and in no notes. "
            "`make version V=…` cuts it."
        )
    return f"# Consent server {version}\n\n{said[version]}\n"
