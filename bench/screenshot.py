"""Make docs/banner.png, the demo shop with the banner as a visitor first meets it, and docs/rates.png, its rates.

    .venv/bin/python -m bench.screenshot

Starts the product on free ports in a folder of its own with the year of `make demo`, and needs Debian's Chromium.
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

from playwright.sync_api import Playwright, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
from tests.support.process import free_port

BANNER, RATES = ROOT / "docs" / "banner.png", ROOT / "docs" / "rates.png"
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


def photograph(playwright: Playwright, url: str, sign_in: str) -> None:
    """The shop's page once the banner stands in it, and the rates once their charts are drawn."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("Install Chromium: apt-get install chromium fonts-dejavu-core")
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport=SIZE, locale="en-GB", color_scheme="light", reduced_motion="reduce")
    page.goto(url)
    page.locator('[data-action="accept"]').wait_for()
    page.screenshot(path=BANNER)
    page.goto(sign_in)
    for field in page.locator("input[type=password]").all():
        field.fill("only for this picture")
    page.locator("main form button").click()
    page.get_by_role("link", name="Rates").first.click()
    page.locator("body[data-drawn]").wait_for(state="attached")
    page.screenshot(path=RATES)
    browser.close()


def main() -> None:
    """Start both servers, take the pictures, stop them."""
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

        def run(*command: str) -> str:
            done = subprocess.run(
                [sys.executable, *command], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
            )
            return done.stdout.strip()

        run("-m", "flask", "--app", "wsgi", "db", "upgrade")
        run("examples/demo/fill.py")
        sign_in = run("-m", "flask", "--app", "wsgi", "user", "create", "you@shop.example", "--role", "operator")
        server = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        shop = [sys.executable, "examples/shop/serve.py"]
        with (
            running(server, environment, f"http://127.0.0.1:{port}/readyz"),
            running(shop, environment, f"http://127.0.0.1:{shop_port}/"),
            sync_playwright() as playwright,
        ):
            photograph(playwright, f"http://127.0.0.1:{shop_port}/", sign_in)
    print(*(picture.relative_to(ROOT) for picture in (BANNER, RATES)), sep="\n")


if __name__ == "__main__":
    main()
