"""Runs a Chromium that is already on the machine, to draw a local page as a visitor's browser would."""

import os
import shutil
import signal
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from consent_server.core.errors import PictureUnavailable

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Seconds for one picture. A second is usual; a cold start on a busy machine takes several.
TIMEOUT = 60.0
# Nothing of the browser's own goes out.
QUIET = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-device-scale-factor=1",
    "--force-prefers-reduced-motion",
)  # fmt: skip
# Nothing is resolved: what it draws is what is in the folder.
FLAGS = (*QUIET, "--host-resolver-rules=MAP * ~NOTFOUND")
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def sandbox() -> list[str]:
    """Chromium's sandbox refuses root, who has nothing to lose by it."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def environment(scratch: Path) -> dict[str, str]:
    """The server's secrets are no business of a browser, and its traces go where the profile goes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    return kept | dict.fromkeys(("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(scratch))


@dataclass(frozen=True)
class Chromium:
    """A browser binary."""

    path: str
    timeout: float = TIMEOUT

    @classmethod
    def find(cls, configured: str | None) -> "Chromium":
        """The one of the settings, else one on the PATH. Raises PictureUnavailable."""
        for name in (configured,) if configured else NAMES:
            if path := shutil.which(name):
                return cls(path)
        if configured:
            raise PictureUnavailable(f"CONSENT_CHROMIUM names {configured}, but there is no such program.")
        raise PictureUnavailable(
            "No Chromium was found, so no picture can be taken. Install it with fonts (on Debian: apt-get install"
            " chromium fonts-dejavu-core), or set CONSENT_CHROMIUM to its program."
        )

    @cached_property
    def version(self) -> str:
        """What the browser calls itself, such as `Chromium 140.0.7339.80`. Raises PictureUnavailable."""
        with tempfile.TemporaryDirectory() as scratch:
            words = self._run(["--version"], Path(scratch)).decode("utf-8", "replace").split()
        return " ".join(words[:2])

    def picture(self, page: Path, size: tuple[int, int], holds: str) -> bytes:
        """The page as PNG, `size` CSS pixels wide and high, in light colours.

        Raises PictureUnavailable when the browser fails, and when the page as drawn does not hold this markup: a
        picture of nothing would be evidence of nothing.
        """
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "picture.png"
            drawn = self._run(
                [
                    *FLAGS,
                    *sandbox(),
                    f"--user-data-dir={scratch}/profile",
                    f"--window-size={size[0]},{size[1]}",
                    f"--screenshot={file}",
                    "--dump-dom",
                    page.as_uri(),
                ],
                Path(scratch),
            )
            png = file.read_bytes() if file.is_file() else b""
        if png[:16] != PNG or struct.unpack(">II", png[16:24]) != size:
            raise PictureUnavailable(f"{self.path} wrote no picture of {size[0]} by {size[1]} pixels.")
        if holds.encode() not in drawn:
            raise PictureUnavailable(f"{self.path} drew the page without its banner; the picture was thrown away.")
        return png

    def _run(self, arguments: list[str], scratch: Path) -> bytes:
        process = subprocess.Popen(  # noqa: S603
            [self.path, *arguments],
            env=environment(scratch),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired as error:
            raise PictureUnavailable(f"{self.path} did not finish within {self.timeout:g} seconds.") from error
        finally:
            if process.poll() is None:
                # A browser is several processes in one group of their own; none may outlive the call.
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        if process.returncode:
            raise PictureUnavailable(f"{self.path} failed with exit code {process.returncode}.")
        return said
