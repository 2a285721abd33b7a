"""Every wait for the database has an end, and what ends is said to be away: nobody hangs, nothing is claimed."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from consent_server.app import create_app
from consent_server.core import database as core_database
from consent_server.core.context import Context
from consent_server.core.database import LONG, USUAL, VISITOR, Database, Patience
from consent_server.core.errors import StorageUnavailable
from tests.support.factories import Body, settings_for
from tests.support.faults import Way, way_to, write_lock
from tests.support.postgresql import PostgreSQL
from tests.support.process import free_port
from tests.support.visitor import post

pytestmark = pytest.mark.usefixtures("real_waits")
on_postgresql = pytest.mark.parametrize("dialect", ["postgresql"])


@pytest.fixture
def way(postgresql: PostgreSQL, database_url: str) -> Iterator[Way]:
    """The way to the database of this test."""
    with way_to(postgresql.folder) as way:
        yield way


@pytest.fixture
def far(way: Way, tmp_path: Path) -> Iterator[Database]:
    """The database at its end."""
    app = create_app(settings_for(tmp_path, f"postgresql+psycopg://consent@127.0.0.1:{way.port}/consent"))
    database: Database = app.extensions["consent"].database
    yield database
    database.engine.dispose()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    # Against hanging, not for speed: what a busy machine does beside is no fault.
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < 5 * seconds


def ask(database: Database, patience: Patience, question: str = "SELECT 1") -> object:
    with database.reading(patience) as session:
        return session.scalar(text(question))


@on_postgresql
def test_a_host_that_is_silent_is_away_and_is_there_again_when_it_speaks(far: Database, way: Way) -> None:
    assert ask(far, VISITOR) == 1
    way.silence()
    # One that is connected, one that connects.
    for _ in range(2):
        with at_most(3.5), pytest.raises(StorageUnavailable):
            ask(far, VISITOR)
    way.heal()
    assert ask(far, VISITOR) == 1


@on_postgresql
def test_a_host_that_falls_silent_before_the_commit(far: Database, way: Way) -> None:
    def write() -> None:
        with far.transaction(VISITOR) as session:
            session.execute(text("CREATE TEMPORARY TABLE written (id integer)"))
            way.silence()

    with at_most(3), pytest.raises(StorageUnavailable):
        write()


@on_postgresql
def test_a_visitor_waits_no_longer_for_many_answers_than_for_one(far: Database) -> None:
    def ask_slowly() -> None:
        with far.reading(VISITOR) as session:
            for _ in range(10):
                session.execute(text("SELECT pg_sleep(0.4)"))

    with at_most(2.5), pytest.raises(StorageUnavailable):
        ask_slowly()


@on_postgresql
def test_only_what_is_long_by_its_nature_may_take_long(services: Context) -> None:
    limits = "SELECT string_agg(current_setting(name), ' ') FROM unnest(ARRAY['lock_timeout', 'statement_timeout', \
'idle_in_transaction_session_timeout']) AS name"
    assert ask(services.database, USUAL, limits) == "1s 9s 30s"
    assert ask(services.database, LONG, limits) == "5s 0 0"
    with services.database.transaction() as session:
        assert session.scalar(text(limits)) == "5s 9s 30s"
    # The next session of the same connection is a usual one again.
    assert ask(services.database, USUAL, limits) == "1s 9s 30s"
    with at_most(2), pytest.raises(StorageUnavailable):
        ask(services.database, Patience(turn=1, answer=0.2), "SELECT pg_sleep(5)")


@on_postgresql
def test_what_takes_no_writes_is_away(services: Context) -> None:
    def write() -> None:
        with services.database.transaction() as session:
            session.execute(text("SET TRANSACTION READ ONLY"))
            session.execute(text("DELETE FROM alembic_version WHERE version_num = 'none'"))

    with pytest.raises(StorageUnavailable, match="takes no writes"):
        write()


def test_a_write_lock_of_another_program_is_waited_for_as_long_as_said(services: Context, tmp_path: Path) -> None:
    def write(patience: Patience) -> None:
        with services.database.transaction(patience):
            pass

    write(USUAL)
    with write_lock(tmp_path / "consent.sqlite3"):
        with at_most(2.5), pytest.raises(StorageUnavailable):
            write(VISITOR)
        with at_most(1), pytest.raises(StorageUnavailable):
            write(Patience(turn=0.1, answer=1))
        # Who only reads does not wait.
        with at_most(1):
            assert ask(services.database, VISITOR) == 1
    write(VISITOR)


def test_a_pool_that_is_empty_is_a_database_that_is_away(services: Context) -> None:
    engine = services.database.engine
    taken = [engine.connect() for _ in range(16)]
    try:
        with at_most(3), pytest.raises(StorageUnavailable, match="No connection"):
            ask(services.database, VISITOR)
    finally:
        for connection in taken:
            connection.close()


@contextmanager
def holding(app: Flask, database: Database, patience: Patience, count: int) -> Iterator[None]:
    """So many requests are in a session, in which each had another one."""
    full, end = threading.Barrier(count + 1), threading.Event()

    def hold() -> None:
        with app.test_request_context(), database.reading(patience):
            with database.reading(patience):
                pass
            full.wait(20)
            end.wait(20)

    holders = [threading.Thread(target=hold) for _ in range(count)]
    for holder in holders:
        holder.start()
    full.wait(20)
    yield
    end.set()
    for holder in holders:
        holder.join(20)


def test_pages_never_take_every_thread(app: Flask, services: Context) -> None:
    database = services.database
    with app.test_request_context(), holding(app, database, USUAL, core_database.PAGES):
        with at_most(2), pytest.raises(StorageUnavailable, match="busy"):
            ask(database, USUAL)
        assert ask(database, VISITOR) == 1
    with app.test_request_context():
        assert ask(database, USUAL) == 1


def test_nor_do_visitors(app: Flask, services: Context, client: FlaskClient, body: Body) -> None:
    database = services.database
    with holding(app, database, VISITOR, core_database.PLACES):
        with at_most(2):
            answer = post(client, body())
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        # What a worker does by itself needs no thread that answers.
        assert ask(database, USUAL) == 1
    assert post(client, body()).status_code == 201


@on_postgresql
def test_an_address_of_several_hosts_finds_the_one_that_answers(way: Way, tmp_path: Path) -> None:
    gone = free_port()
    query = f"host=127.0.0.1,127.0.0.1&port={gone},{way.port}&target_session_attrs=read-write"
    app = create_app(settings_for(tmp_path, f"postgresql+psycopg://consent@/consent?{query}"))
    database: Database = app.extensions["consent"].database
    with at_most(5):
        assert ask(database, VISITOR) == 1
    database.engine.dispose()


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_connection_that_was_being_made_when_its_pool_was_let_go_is_closed(database_url: str, tmp_path: Path) -> None:
    database: Database = create_app(settings_for(tmp_path, database_url)).extensions["consent"].database
    made, closed = list[object](), list[object]()

    def let_go(connection: object, _: object) -> None:
        made.append(connection)
        database.engine.dispose()

    event.listen(database.engine, "connect", let_go, insert=True)
    event.listen(database.engine, "close", lambda connection, _: closed.append(connection))
    assert ask(database, VISITOR) == 1
    assert closed == made
    database.engine.dispose()
