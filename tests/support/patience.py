"""How long this process waits for its database: a machine that has much else to do is no fault.

Servers that tests start have the waits that they are shipped with.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from consent_server.core import group_commit
from consent_server.core.database import VISITOR

LONG = 60.0
SHIPPED = {name: getattr(VISITOR, name) for name in ("turn", "answer", "together")}
SHIPPED_SLOW = group_commit.SLOW


@pytest.fixture(scope="session", autouse=True)
def long_waits() -> Iterator[None]:
    """No test meets the waits of a visitor by chance."""
    with _waits(dict.fromkeys(SHIPPED, LONG), LONG):
        yield


@pytest.fixture
def real_waits(long_waits: None) -> Iterator[None]:
    """The waits that the product is shipped with, for tests about them."""
    with _waits(SHIPPED, SHIPPED_SLOW):
        yield


@contextmanager
def _waits(patience: dict[str, float], slow: float) -> Iterator[None]:
    before = {name: getattr(VISITOR, name) for name in patience}, group_commit.SLOW
    _set(patience, slow)
    try:
        yield
    finally:
        _set(*before)


def _set(patience: dict[str, float], slow: float) -> None:
    # Everybody has imported this very object, and is told apart by it.
    for name, seconds in patience.items():
        object.__setattr__(VISITOR, name, seconds)
    group_commit.SLOW = slow
