"""The one place that commits, and what makes SQLite durable and fair among processes."""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session as Session  # acts name it in their types, and import no SQL

from consent_server.core.engines import refuse_distributed
from consent_server.core.errors import StorageUnavailable
from consent_server.core.pooled_sessions import USELESS_SESSION, tell_sessions

log = logging.getLogger("consent_server.database")

# Seconds that a writer waits for its turn. Whoever asks again later loses nothing; who waits forever blocks all.
PATIENCE = 5


class Database:
    """Transactions on one engine. Opened by use cases, never by the functions that they call."""

    def __init__(self, engine: Engine, patience: float = PATIENCE) -> None:
        self.engine = engine
        self.patience = patience
        self.embedded = engine.dialect.name == "sqlite"
        # The last wait for the file lock that was given up, as long as the kernel still keeps its place.
        self._given_up = threading.Thread()
        if self.embedded:
            event.listen(engine, "connect", _set_pragmas)
            event.listen(engine, "begin", _begin)
            event.listen(engine, "reset", _end)
        else:
            event.listen(engine.pool, "first_connect", refuse_distributed)
            tell_sessions(engine, {"lock_timeout": f"{PATIENCE}s"})

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
        """Write the records anew, so that what was deleted is in no file of the database any more.

        Both databases leave copies of rows behind in the unused parts of their pages, whenever they move rows
        or entries of an index; only a file that is written anew has none. Takes seconds a gigabyte, and nobody
        can write meanwhile. Raises StorageUnavailable when somebody reads for too long; then call it again.
        """
        try:
            self._alone("VACUUM" if self.embedded else "VACUUM FULL decisions, tallies")
            # The log still holds older pages until it is written back and cut; a reader may keep it from that.
            if self.embedded and self._alone("PRAGMA wal_checkpoint(TRUNCATE)"):
                raise StorageUnavailable("The log is in use.")
        except StorageUnavailable as error:
            raise StorageUnavailable(
                "The records are removed, but the database's files could not be rewritten, so they may still"
                " hold copies. Make sure that nothing reads for long and that the disk has room, then run this again."
            ) from error

    def close(self) -> None:
        """Write SQLite's log back into the file and cut it, unless others read or write, and let all connections go.

        A log that stays behind would be taken for that of whatever file is put in this one's place.
        """
        if self.embedded:
            with suppress(StorageUnavailable):
                self._alone("PRAGMA wal_checkpoint(TRUNCATE)")
        self.engine.dispose()

    def _alone(self, statement: str) -> Any:
        # Outside of a transaction, as these statements want to be.
        options: dict[str, Any] = {"begin": None} if self.embedded else {"isolation_level": "AUTOCOMMIT"}
        with _as_refusal(), self._turn(), self.engine.connect().execution_options(**options) as connection:
            result = connection.exec_driver_sql(statement)
            return result.scalar() if result.returns_rows else None

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
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        # The kernel has no flock that ends after a time, and asking again and again costs half the turns.
        waiting = threading.Thread(target=fcntl.flock, args=(descriptor, fcntl.LOCK_EX), name="turn", daemon=True)
        # One wait that was given up stands for all: with it still there the holder has not moved since.
        if not self._given_up.is_alive():
            waiting.start()
            waiting.join(self.patience)
            if not waiting.is_alive():
                return
            # Its descriptor is closed now: whenever it gets the lock, the kernel takes that back at once.
            self._given_up = waiting
        raise StorageUnavailable("Another process holds the database; nothing was recorded. Send it again later.")


@contextmanager
def _as_refusal() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if _lacks_migrations(error):
            raise StorageUnavailable("The database is missing migrations. Run: flask --app wsgi db upgrade") from error
        if _is_own_fault(error):
            raise
        what = "The connection to the database was lost" if error.connection_invalidated else "The database fails"
        if isinstance(error, OperationalError):
            what = "The database is not available"
        else:
            # A file that is torn or is none, whatever else goes wrong there: no visitor's browser can do anything but
            # send it again, and whoever keeps the server must hear of it.
            log.error("%s: %s. See docs/deploy.md, section 8.", what, error.orig)
        raise StorageUnavailable(f"{what}; nothing was recorded. Send it again later.") from error


def _is_own_fault(error: DBAPIError) -> bool:
    """Whether the statement is wrong, so that sending it again helps nobody; all else may pass."""
    if isinstance(error, ProgrammingError):
        # Neither a session that another will stand in for, nor a privilege (42501) that is yet to be granted.
        return getattr(error.orig, "sqlstate", None) not in USELESS_SESSION | {"42501"}
    return isinstance(error, (DataError, IntegrityError))


def _lacks_migrations(error: DBAPIError) -> bool:
    # PostgreSQL's codes for an unknown table and an unknown column; SQLite has only words.
    code = getattr(error.orig, "sqlstate", None)
    return code in ("42P01", "42703") or str(error.orig).startswith(("no such table", "no such column"))


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
    # A REPLACE fires the triggers that refuse a DELETE.
    cursor.execute("PRAGMA recursive_triggers=ON")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()


def _end(connection: Any, _record: Any, _state: Any) -> None:
    # A COMMIT that fails leaves SQLite's transaction open.
    connection.rollback()


def _begin(connection: Any) -> None:
    # A writer that first reads under BEGIN can fail at its first write; BEGIN IMMEDIATE waits at the start.
    statement = connection.get_execution_options().get("begin", "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)
