"""A ledger of three records, and a witness who knows it."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from tests.support.factories import Body, Clock
from tests.support.witness import Witness
from tests.support.witnessed_ledger import ORIGIN, Ledger


@pytest.fixture
def witness(clock: Clock, services: Context) -> Iterator[Witness]:
    """Somebody outside who knows the shop's ledger."""
    with Witness(clock).knows(ORIGIN, services.keys.ring.public_bytes()) as found:
        yield found


@pytest.fixture
def ledger(app: Flask, services: Context, client: FlaskClient, body: Body, clock: Clock) -> Ledger:
    found = Ledger(services, client, body, clock)
    found.grow(3)
    return found
