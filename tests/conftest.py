"""What every test may ask for."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from tests.support import environment

pytest_plugins = [
    "tests.support.figures",
    "tests.support.patience",
    "tests.support.databases",
    "tests.support.application",
    "tests.support.cast",
    "tests.support.served",
    "tests.support.installed",
    "tests.support.alerts",
    "tests.support.checkers",
    "tests.support.traces",
]
BROWSER_TESTS = Path(__file__).with_name("browser")

# No test is about time: a busy machine is no fault.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Before a test is read: no test depends on where it runs."""
    environment.move_to_memory()
    home = tempfile.TemporaryDirectory(prefix="consent-home-")
    config.add_cleanup(home.cleanup)
    environment.settle(Path(home.name))


def pytest_runtest_teardown() -> None:
    """What a test starts in this process may take all from others, for good (`consent_server.app.start`)."""
    os.umask(environment.UMASK)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser: whatever asks for one, and whatever stands among the tests that do."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) or item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker("browser")
