"""What every test may ask for."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from tests.e2e.site_files import DOMAIN
from tests.support.process import free_port

pytest_plugins = [
    "tests.support.figures",
    "tests.support.databases",
    "tests.support.application",
    "tests.support.cast",
    "tests.support.alerts",
]

BROWSER_TESTS = Path(__file__).with_name("e2e")

# No test is about time: a busy machine is no fault.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser: whatever asks for one, and whatever stands among the tests that do."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) or item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def page_port() -> int:
    """Where the pages of the site of the browser tests are served."""
    return free_port()


@pytest.fixture(scope="session")
def browser_type_launch_args(page_port: int) -> dict[str, Any]:
    """Debian's Chromium; that site's hosts are this machine, and nothing of the browser's own goes out."""
    chromium = shutil.which("chromium")
    assert chromium, "Install Chromium: apt-get install chromium"
    return {
        "executable_path": chromium,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1:{page_port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ],
    }
