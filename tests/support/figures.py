"""How much of something a test takes: a little on every day, all of it before a release (`pytest --slow`)."""

from typing import Protocol

import pytest


class Figure(Protocol):
    """`figure(1_000, release=20_000)`."""

    def __call__(self, daily: int, *, release: int) -> int: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--slow", action="store_true", help="with the figures of a release, not those of every day")


@pytest.fixture
def before_a_release(pytestconfig: pytest.Config) -> None:
    """Passes over a test that takes too long for every day."""
    if not pytestconfig.getoption("--slow"):
        pytest.skip("before a release: pytest --slow")


@pytest.fixture(scope="session")
def figure(pytestconfig: pytest.Config) -> Figure:
    """The one of two figures that is asked for."""
    slow = pytestconfig.getoption("--slow")
    return lambda daily, *, release: release if slow else daily
