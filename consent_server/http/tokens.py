"""The colours of our pages as values: tokens.css is the one place where they stand."""

import re
from functools import cache
from pathlib import Path

SHEET = Path(__file__).parent / "assets" / "tokens.css"
DARK, PRINT = "@media screen and (prefers-color-scheme: dark)", "@media print"


@cache
def page_colours() -> dict[str, dict[str, str]]:
    """Each colour (#rrggbb) by its name without dashes, in light and in dark."""
    light, _, rest = SHEET.read_text("utf-8").partition(DARK)
    parts = {"light": light, "dark": rest.partition(PRINT)[0]}
    return {scheme: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for scheme, part in parts.items()}
