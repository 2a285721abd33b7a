"""The shipped data: one TOML file a vendor, one TOML file a language, and the table of places."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from consent_server.sites.rules_places import Proposal, Proposals, Rule

HERE = Path(__file__).parent


@cache
def vendors() -> dict[str, dict[str, Any]]:
    """Vendor key to its catalogue entry."""
    return _read(HERE / "vendors")


@cache
def locales() -> dict[str, dict[str, Any]]:
    """Language (BCP 47, lower-case) to its texts."""
    return _read(HERE / "locales")


@cache
def places() -> Proposals:
    """What the law of each place proposes."""
    table = tomllib.loads((HERE / "places.toml").read_text("utf-8"))
    return Proposals(tuple(map(_proposal, table["places"])), _proposal(table["elsewhere"]))


def _proposal(row: Mapping[str, Any]) -> Proposal:
    listed = {key: tuple(row.get(key, ())) for key in ("places", "links")}
    return Proposal(**{**row, **listed, "rule": Rule(row["rule"])})


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))}
