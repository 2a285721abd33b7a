"""Two who add users at the same moment, as replicas that start together do."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from consent_server.access.credentials import OneTimeLinks
from consent_server.access.rows import UserRow
from consent_server.access.rules import Role
from consent_server.core.context import Context
from consent_server.core.errors import UserConflict
from consent_server.people.invite import COMMAND_LINE, invite, welcome_operator

EMAIL = "operator@localhost"
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def beside(services: Context, act: Callable[[], object]) -> object:
    """What an act comes to that begins while another is about to add the operator."""
    came: list[object] = []

    def run() -> None:
        try:
            came.append(act())
        except Exception as error:
            came.append(error)

    other = threading.Thread(target=run)
    with services.database.transaction() as session:
        row = UserRow(email=EMAIL, grants=[(Role.OPERATOR.value, None)], password_hash=None, link_hash=None,
                      created_at=services.now())  # fmt: skip
        session.add(row)
        session.flush()
        other.start()
        with services.database.reading() as looking:
            while not looking.scalar(WAITING):
                assert other.is_alive(), came
    other.join(20)
    return came[0]


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_the_second_finds_what_the_first_added(services: Context) -> None:
    links = services[OneTimeLinks]

    def create() -> object:
        return invite(
            services.database, links, EMAIL, Role.AUDITOR, None, COMMAND_LINE, services.now(), services.random
        )

    assert isinstance(beside(services, create), UserConflict)


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_there_is_one_first_operator(services: Context) -> None:
    links = services[OneTimeLinks]
    welcomed = beside(services, lambda: welcome_operator(services.database, links, services.now(), services.random))
    assert isinstance(welcomed, tuple)
    assert welcomed[0] == EMAIL
    with services.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM users")) == 1
