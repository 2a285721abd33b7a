"""How long this process waits for its database: a machine that has much else to do is no fault.

Servers that tests start have the waits that they are shipped with.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace

import pytest

from consent_server.core import group_commit
from consent_server.core.database import USUAL, VISITOR, Patience

LONG = Patience(turn=60, answer=60, together=60)
# What may wait so long, and what it is shipped with.
SHIPPED = [(patience, replace(patience)) for patience in (VISITOR, USUAL)]
SHIPPED_SLOW = group_commit.SLOW


@pytest.fixture(scope="session", autouse=True)
def long_waits() -> Iterator[None]:
    """No test meets the end of a wait by chance."""
    with _waits([(patience, LONG) for patience, _ in SHIPPED], LONG.turn):
        yield


@pytest.fixture
def real_waits(long_waits: None) -> Iterator[None]:
    """The waits that the product is shipped with, for tests that wait until one ends: the long ones take a minute."""
    with _waits(SHIPPED, SHIPPED_SLOW):
        yield


@contextmanager
def _waits(patience: Sequence[tuple[Patience, Patience]], slow: float) -> Iterator[None]:
    before = [(one, replace(one)) for one, _ in patience], group_commit.SLOW
    _set(patience, slow)
    try:
        yield
    finally:
        _set(*before)


def _set(patience: Sequence[tuple[Patience, Patience]], slow: float) -> None:
    # Everybody has imported these very objects, and they are told apart by being the same.
    for one, wanted in patience:
        for field in fields(wanted):
            object.__setattr__(one, field.name, getattr(wanted, field.name))
    group_commit.SLOW = slow
