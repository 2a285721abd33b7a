"""What is committed is durable, and what is not leaves nothing behind."""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from consent_server.core.context import Context
from consent_server.core.database import Database
from consent_server.core.errors import StorageUnavailable
from consent_server.sites.rows import WidgetRow
from tests.support.factories import SHOP, Body


def widget(name: str) -> WidgetRow:
    return WidgetRow(hash=name, code="", created_at=datetime(2026, 11, 23, 17, 0, 0, 123_000, tzinfo=UTC))


def stored(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(WidgetRow.hash)))


def test_every_connection_of_sqlite_syncs_every_commit(services: Context) -> None:
    engine = services.database.engine
    connections = [engine.connect() for _ in range(4)]
    try:
        for connection in connections:
            pragmas = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
            found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
            # 2 is FULL: in WAL nothing less survives a power cut. Without the last a REPLACE deletes unseen.
            assert found == ["wal", 2, 1, 1]
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_postgresql_syncs_every_commit(services: Context) -> None:
    # Whether the server itself syncs is its operator's to say; the tests' own does not. Nothing of ours may waive it.
    with services.database.reading() as session:
        assert session.connection().exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


@pytest.mark.on_both_databases
def test_what_fails_leaves_nothing_behind(services: Context) -> None:
    def fail() -> None:
        with services.database.transaction() as session:
            session.add(widget("a"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert stored(services.database) == set()
    with services.database.transaction() as session:
        session.add(widget("b"))
    assert stored(services.database) == {"b"}


@pytest.mark.on_both_databases
def test_reading_changes_nothing(services: Context) -> None:
    with services.database.reading() as session:
        session.add(widget("a"))
        session.flush()
    assert stored(services.database) == set()


@pytest.mark.on_both_databases
def test_times_come_back_as_they_were(services: Context) -> None:
    with services.database.transaction() as session:
        session.add(widget("a"))
    with services.database.reading() as session:
        assert session.scalars(select(WidgetRow.created_at)).one() == widget("a").created_at


@pytest.mark.on_both_databases
def test_many_writers_take_turns(services: Context) -> None:
    def write(number: int) -> None:
        with services.database.transaction() as session:
            session.add(widget(str(number)))

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(write, range(60)))
    assert stored(services.database) == {str(number) for number in range(60)}


def test_a_disk_that_takes_no_more_is_a_database_that_is_away(services: Context) -> None:
    def full(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    with services.database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        full(raw)

    def fill() -> None:
        with services.database.transaction() as session:
            session.add(WidgetRow(hash="big", code="x" * 200_000, created_at=widget("").created_at))

    with pytest.raises(StorageUnavailable):
        fill()
    assert stored(services.database) == set()


@pytest.mark.parametrize(
    ("torn", "said"),
    [
        (lambda path: path.write_bytes(b"This is a text and no database. " * 500), "file is not a database"),
        (lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes([7]) * 400_000), "malformed"),
    ],
)
def test_a_file_that_is_torn_is_a_database_that_is_away(
    services: Context, client: FlaskClient, body: Body, caplog: pytest.LogCaptureFixture,
    torn: Callable[[Path], object], said: str,
) -> None:  # fmt: skip
    sent = body()
    services.database.close()
    torn(services.settings.instance / "consent.sqlite3")
    answer = client.post("/v1/sites/shop/decisions", json=sent, headers={"Origin": SHOP})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert said in caplog.text


def test_what_the_log_holds_is_in_the_file_after_a_clean_end(services: Context) -> None:
    with services.database.transaction() as session:
        session.add(widget("a"))
    log = services.settings.instance / "consent.sqlite3-wal"
    assert log.stat().st_size
    # Another process has it open too: only the last connection of all would have cut the log by itself.
    other = sqlite3.connect(services.settings.instance / "consent.sqlite3")
    assert other.execute("SELECT count(*) FROM widgets").fetchone()
    services.database.close()
    assert log.stat().st_size == 0
    other.close()
    alone = services.settings.instance / "alone.sqlite3"
    shutil.copy(services.settings.instance / "consent.sqlite3", alone)
    assert sqlite3.connect(alone).execute("SELECT count(*) FROM widgets WHERE hash = 'a'").fetchone() == (1,)


def test_a_lock_file_that_cannot_be_opened_is_a_database_that_is_away(services: Context) -> None:
    (services.settings.instance / "consent.sqlite3.lock").unlink(missing_ok=True)
    (services.settings.instance / "consent.sqlite3.lock").mkdir()

    def write() -> None:
        with services.database.transaction():
            pass

    with pytest.raises(StorageUnavailable):
        write()


@pytest.mark.on_both_databases
def test_readers_do_not_wait_for_a_writer(services: Context) -> None:
    with services.database.transaction() as session:
        session.add(widget("a"))
        session.flush()
        seen: list[set[str]] = []
        reader = threading.Thread(target=lambda: seen.append(stored(services.database)))
        reader.start()
        reader.join(timeout=5)
    assert seen == [set()]
