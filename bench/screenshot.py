"""Make docs/banner.png: the demo shop with the banner as a visitor first meets it.

    .venv/bin/python bench/screenshot.py

Starts the product on free ports in a folder of its own, and needs Debian's Chromium.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.process import free_port  # noqa: E402

PICTURE = ROOT / "docs" / "banner.png"
SIZE: ViewportSize = {"width": 1280, "height": 800}
START_SECONDS = 30


@contextmanager
def running(command: list[str], environment: dict[str, str], url: str) -> Iterator[None]:
    """A server that answers at this address, for the length of the block."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(url, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def photograph(url: str, path: Path) -> None:
    """The page, once the banner stands in it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("Install Chromium: apt-get install chromium fonts-dejavu-core")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, locale="en-GB", color_scheme="light", reduced_motion="reduce")
        page.goto(url)
        page.locator('[data-action="accept"]').wait_for()
        page.screenshot(path=path)
        browser.close()


def main() -> None:
    """Start both servers, take the picture, stop them."""
    port, shop_port = str(free_port()), str(free_port())
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    with tempfile.TemporaryDirectory() as instance:
        environment = {
            **clean,
            "CONSENT_INSTANCE": instance,
            "PORT": port,
            "DEMO_PORT": shop_port,
            "WEB_CONCURRENCY": "1",
        }
        flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
        for command in (["db", "upgrade"], ["site", "apply", "examples/callbell.toml"]):
            subprocess.run([*flask, *command], cwd=ROOT, env=environment, check=True, capture_output=True)
        server = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        shop = [sys.executable, "examples/shop/serve.py"]
        with (
            running(server, environment, f"http://127.0.0.1:{port}/readyz"),
            running(shop, environment, f"http://127.0.0.1:{shop_port}/"),
        ):
            photograph(f"http://127.0.0.1:{shop_port}/", PICTURE)
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
