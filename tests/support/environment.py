"""One environment for the tests and for all that they start, whatever that of the machine is."""

import os
import shutil
import tempfile
import time
from pathlib import Path

FONTS = Path(__file__).with_name("fonts.conf")
WIDE, NARROW = "DejaVu Sans", "Roboto Condensed"
UMASK = 0o022
# A display, for who wants to look at the browsers (`--headed`).
KEPT = ("PATH", "TMPDIR", "DISPLAY", "XAUTHORITY")


# Where files are kept in memory, and how much room there must be.
MEMORY, ROOM = Path("/dev/shm"), 2 << 30


def move_to_memory() -> None:
    """Keep files of the tests in memory, where that can be had: each commit waits for the disk, and no power fails."""
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _has_room(folder: Path) -> bool:
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < ROOM:
        return False
    # Some tests start what they write.
    return not os.statvfs(folder).f_flag & os.ST_NOEXEC


def settle(home: Path) -> None:
    """Take away every setting, proxy, locale and time zone, and give them what stands here.

    Programs that the tests start find a home that is empty, and fonts that are named.
    """
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("PYTEST_")}
    os.environ.clear()
    os.environ |= kept | {"HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC", "FONTCONFIG_FILE": str(FONTS)}
    time.tzset()
    os.umask(UMASK)
