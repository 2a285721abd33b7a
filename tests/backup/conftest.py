"""A shop with a ledger, and its command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from consent_server.app import create_app
from consent_server.core.context import Context, context_of
from tests.support.factories import Clock, settings_for
from tests.support.ledger_shop import Shop

Run = Callable[..., Result]


@pytest.fixture
def shop(services: Context, notice: str, clock: Clock, tmp_path: Path) -> Shop:
    """Four records under a checkpoint."""
    made = Shop(services, clock, tmp_path)
    made.decide_and_seal()
    return made


@pytest.fixture
def consent(bare_app: Flask, shop: Shop) -> Run:
    """A command on this server."""
    return lambda *words: bare_app.test_cli_runner().invoke(args=[str(word) for word in words])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a backup is to be."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder / "consent.backup"


class Machine:
    """Another machine, on which nothing was before."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        folder.mkdir()
        self.app = create_app(settings_for(folder, f"sqlite:///{folder / 'consent.sqlite3'}"), now=clock)
        self.services = context_of(self.app)

    def consent(self, *words: object) -> Result:
        return self.app.test_cli_runner().invoke(args=[str(word) for word in words])

    def shop(self, clock: Clock) -> Shop:
        """The shop as it goes on there, by a server that was started anew."""
        made = create_app(self.services.settings, now=clock)
        return Shop(context_of(made), clock, self.folder)


@pytest.fixture
def machine(tmp_path: Path, clock: Clock) -> Machine:
    return Machine(tmp_path / "another", clock)
