"""The one place that commits, and what makes SQLite durable and fair among processes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from consent_server.domain.errors import StorageUnavailable


class Database:
    """Transactions on one engine. Opened by use cases, never by the functions that they call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.embedded = engine.dialect.name == "sqlite"
        if self.embedded:
            event.listen(engine, "connect", _set_pragmas)
            event.listen(engine, "begin", _begin)
            event.listen(engine, "reset", _end)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commit when the block ends well, leave nothing behind when it does not.

        Raises StorageUnavailable when the database is away, locked for too long or full.
        """
        with _as_refusal(), self._turn(), Session(self.engine) as session:
            session.connection(execution_options={"begin": "BEGIN IMMEDIATE"})
            yield session
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with _as_refusal(), Session(self.engine) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session whose every query sees the database as it was at the first."""
        with self.reading() as session:
            if not self.embedded:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    def forget(self) -> None:
        """Make sure that what was deleted is no longer in the files.

        SQLite overwrites deleted content (secure_delete); the log still holds older pages until it is
        written back and cut. PostgreSQL frees dead rows for reuse.
        """
        statement = "PRAGMA wal_checkpoint(TRUNCATE)" if self.embedded else "VACUUM decisions"
        with _as_refusal(), self._turn(), self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # SQLite has one writer at a time, and those who wait for it poll with growing sleeps. A file
        # lock queues them instead. The lock ends with its process, so a crash leaves nothing to clean.
        if not self.embedded or not self.engine.url.database:
            yield
            return
        try:
            descriptor = os.open(f"{self.engine.url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageUnavailable("The database's lock file cannot be opened; nothing was recorded.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


@contextmanager
def _as_refusal() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StorageUnavailable("The database is not available; nothing was recorded. Send it again later.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StorageUnavailable("The database went away; nothing was recorded. Send it again later.") from error
        raise


def _set_pragmas(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: _begin does, and says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL syncs the log on every commit: in WAL mode nothing less survives a power cut.
    cursor.execute("PRAGMA synchronous=FULL")
    # Pages that many commits touch are written back once for all of them: 16 MiB of log between checkpoints.
    cursor.execute("PRAGMA wal_autocheckpoint=4000")
    cursor.execute("PRAGMA cache_size=-16000")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()


def _end(connection: Any, _record: Any, _state: Any) -> None:
    # A COMMIT that fails leaves SQLite's transaction open.
    connection.rollback()


def _begin(connection: Any) -> None:
    # A writer that first reads under BEGIN can fail at its first write; BEGIN IMMEDIATE waits at the start.
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
