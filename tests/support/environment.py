"""One environment for the tests and for all that they start, whatever that of the machine is."""

import os
import time
from pathlib import Path

FONTS = Path(__file__).with_name("fonts.conf")
WIDE, NARROW = "DejaVu Sans", "Roboto Condensed"
# A display, for who wants to look at the browsers (`--headed`).
KEPT = ("PATH", "TMPDIR", "DISPLAY", "XAUTHORITY")


def settle(home: Path) -> None:
    """Take away every setting, proxy, locale and time zone, and give them what stands here.

    Programs that the tests start find a home that is empty, and fonts that are named.
    """
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("PYTEST_")}
    os.environ.clear()
    os.environ |= kept | {"HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC", "FONTCONFIG_FILE": str(FONTS)}
    time.tzset()
    os.umask(0o022)
