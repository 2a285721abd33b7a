"""Writers take turns and wait for a while only; what is forgotten is in no file any more."""

import fcntl
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text

from consent_server.core import group_commit
from consent_server.core.context import Context
from consent_server.core.database import connection_of
from consent_server.core.errors import StorageUnavailable
from consent_server.core.rewriting import rewrite_files
from consent_server.decisions.rows import DecisionRow
from consent_server.sites.rows import WidgetRow
from tests.support.factories import START, Body
from tests.support.visitor import post, rows

PROCESSES = multiprocessing.get_context("forkserver")


def hold(path: Path, held: Connection) -> None:
    """Take the file lock, as a writer does, and keep it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    held.send("held")
    while True:
        signal.pause()


@contextmanager
def stopped_writer(folder: Path) -> Iterator[None]:
    """A process that has its turn and was stopped in it."""
    ready, told = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=hold, args=(folder / "consent.sqlite3.lock", told), daemon=True)
    process.start()
    try:
        assert ready.poll(20)
        assert process.pid
        os.kill(process.pid, signal.SIGSTOP)
        yield
    finally:
        process.kill()
        process.join()


@pytest.mark.usefixtures("real_waits")
def test_a_stopped_writer_blocks_nobody_forever(
    services: Context, client: FlaskClient, body: Body, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "REST", 0)
    with stopped_writer(tmp_path):
        for _ in range(3):
            answer = post(client, body())
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert answer.get_json()["type"] == "/problems/storage-unavailable"
        # One thread still waits for the lock, however many were turned away.
        assert len([thread for thread in threading.enumerate() if thread.name == "turn"]) == 1
    waiting = [thread for thread in threading.enumerate() if thread.name == "turn"]
    for thread in waiting:
        thread.join(20)
    # It gave the lock back as soon as it had it.
    assert post(client, body()).status_code == 201
    assert len(rows(services)) == 1


def test_a_turn_that_comes_in_time_is_taken(services: Context, client: FlaskClient, body: Body) -> None:
    begun, end = threading.Event(), threading.Event()

    def write() -> None:
        with services.database.transaction():
            begun.set()
            end.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(20)
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(post(client, body()).status_code))
    asking.start()
    while not any(thread.name == "turn" for thread in threading.enumerate()):
        assert asking.is_alive()
    end.set()
    for thread in (writer, asking):
        thread.join(20)
    assert answers == [201]


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_lock_of_postgresql_is_not_waited_for_long(services: Context) -> None:
    with services.database.reading() as session:
        assert session.connection().exec_driver_sql("SHOW lock_timeout").scalar() == "1s"
    with services.database.reading() as holder:
        holder.execute(text("LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE"))

        def write() -> None:
            with services.database.transaction() as session:
                session.execute(text("SET LOCAL lock_timeout = '50ms'"))
                session.execute(text("LOCK TABLE decisions IN SHARE MODE"))

        with pytest.raises(StorageUnavailable):
            write()


def test_what_is_forgotten_is_in_no_page_that_was_split(
    services: Context, client: FlaskClient, body: Body, tmp_path: Path
) -> None:
    # SQLite overwrites what is deleted, but not the copies that splitting a page left behind in it.
    post(client, body())
    (like,) = rows(services)
    chance = Random(3)
    visitors = [chance.randbytes(16) for _ in range(200)]
    gone = visitors[::2]
    own = ("decision_id", "receipt_id", "visitor", "receipt")
    beside = ", ".join(set(DecisionRow.__table__.columns.keys()) - {"id", *own})
    copy = f"INSERT INTO decisions ({', '.join(own)}, {beside}) SELECT ?, ?, ?, ?, {beside} FROM decisions WHERE id = ?"
    values = [
        (
            chance.randbytes(16),
            chance.randbytes(16),
            chance.choice(visitors),
            "x" * chance.randrange(900, 2000),
            like.id,
        )
        for _ in range(3000)
    ]
    with services.database.engine.connect() as connection:
        connection.exec_driver_sql("DROP TRIGGER decisions_keep_delete")
        connection.exec_driver_sql(copy, values)
        for visitor in gone:
            connection.exec_driver_sql("DELETE FROM decisions WHERE visitor = ?", (visitor,))
        connection.commit()
    rewrite_files(services.database)
    data = b"".join(path.read_bytes() for path in tmp_path.glob("consent.sqlite3*"))
    assert sum(visitor in data for visitor in visitors) == 100
    assert not any(visitor in data for visitor in gone)


@pytest.mark.on_both_databases
@pytest.mark.parametrize("ends", ["well", "by an error", "taken back"])
def test_what_goes_by_the_connection_and_what_by_the_session_end_together(services: Context, ends: str) -> None:
    with suppress(ZeroDivisionError), services.database.transaction() as session:
        connection = connection_of(session)
        connection.execute(insert(WidgetRow).values(hash="first", code="", created_at=START))
        session.add(WidgetRow(hash="second", code="", created_at=START))
        if ends == "taken back":
            session.rollback()
        if ends == "by an error":
            session.flush()
            raise ZeroDivisionError
    with services.database.reading() as session:
        kept = {*session.scalars(select(WidgetRow.hash))} & {"first", "second"}
    assert kept == ({"first", "second"} if ends == "well" else set())


@pytest.mark.on_both_databases
def test_a_session_that_is_not_used_ends_nothing(services: Context) -> None:
    with services.database.transaction() as session:
        connection_of(session).execute(insert(WidgetRow).values(hash="only", code="", created_at=START))
        assert not session.in_transaction()
    with services.database.reading() as session:
        assert "only" in session.scalars(select(WidgetRow.hash)).all()
