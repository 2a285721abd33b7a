"""A ledger to begin with."""

from pathlib import Path

import pytest

from consent_server.core.context import Context
from tests.support.factories import Clock
from tests.support.ledger_shop import Shop


@pytest.fixture
def shop(services: Context, notice: str, clock: Clock, tmp_path: Path) -> Shop:
    """Four records under a checkpoint."""
    made = Shop(services, clock, tmp_path)
    made.decide_and_seal()
    return made
