"""The shipped data: one TOML file a vendor, one TOML file a language."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@cache
def vendors() -> dict[str, dict[str, Any]]:
    """Vendor key to its catalogue entry."""
    return _read(HERE / "vendors")


@cache
def locales() -> dict[str, dict[str, Any]]:
    """Language (BCP 47, lower-case) to its texts."""
    return _read(HERE / "locales")


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))}
