"""The one place that commits, and what makes SQLite durable and fair among processes."""

import fcntl
import logging
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import has_request_context
from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.orm import Session as Session  # acts name it in their types, and import no SQL

from consent_server.core.engines import refuse_distributed
from consent_server.core.errors import StorageUnavailable
from consent_server.core.measures import DATABASE_FAILURES, DATABASE_WAIT, measure
from consent_server.core.pooled_sessions import USELESS_SESSION, is_pooled
from consent_server.core.postgresql import allow_long_work, await_locks, limit, wait_within_limits

log = logging.getLogger("consent_server.database")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a session waits: for its turn to write, for each answer, and for all of them together.

    Whoever asks again later loses nothing; who waits forever blocks all.
    """

    turn: float
    answer: float
    together: float = math.inf


USUAL = Patience(turn=5, answer=10)
# A visitor's browser sends again what was not taken. PostgreSQL itself ends a wait for a lock before that.
VISITOR = Patience(turn=1.2, answer=1.5, together=1.5)
# What takes long by its nature: exports, checks, what writes files anew. To be asked for by name.
LONG = Patience(turn=5, answer=math.inf)
# A worker has ten threads. So many may be in the database or wait for it, of these so many for pages that are not what
# a visitor's browser waits for; who finds no place within so many seconds is told to come again. A commit takes
# milliseconds, a page may take longer.
PLACES, PLACE_WITHIN = 8, 0.5
PAGES, PAGE_WITHIN = 4, 0.5


class Database:
    """Transactions on one engine. Opened by use cases, never by the functions that they call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.embedded = engine.dialect.name == "sqlite"
        self._places, self._pages = threading.BoundedSemaphore(PLACES), threading.BoundedSemaphore(PAGES)
        self._here = threading.local()
        # The last wait for the file lock that was given up, as long as the kernel still keeps its place.
        self._given_up = threading.Thread()
        _close_what_comes_late(engine)
        # What was to be written is a visitor's, and has no place in a log.
        engine.hide_parameters = True
        event.listen(engine, "handle_error", _keep_values_back)
        if self.embedded:
            event.listen(engine, "connect", _set_pragmas)
            event.listen(engine, "begin", _begin)
            event.listen(engine, "reset", _end)
        else:
            event.listen(engine.pool, "first_connect", refuse_distributed)
            wait_within_limits(engine)

    def files(self) -> list[Path]:
        """Where SQLite keeps the records, its log and locks; none of PostgreSQL."""
        name = self.engine.url.database if self.embedded else None
        return [Path(f"{name}{suffix}") for suffix in ("", "-wal", "-shm", ".lock")] if name else []

    @contextmanager
    def transaction(self, patience: Patience = USUAL) -> Iterator[Session]:
        """Commit when the block ends well, leave nothing behind when it does not.

        Raises StorageUnavailable when the database is away, silent, locked for too long or full.
        """
        came = time.monotonic()
        with _counted(), _as_refusal(), self.place(patience), self._turn(patience), self.engine.connect() as connection:
            self._begin(connection, patience, {"begin": "BEGIN IMMEDIATE"}, writes=True)
            measure(lambda: DATABASE_WAIT.observe(time.monotonic() - came))
            with _Joined(connection) as session:
                yield session
                if session.in_transaction():
                    session.commit()
            connection.commit()

    @contextmanager
    def reading(self, patience: Patience = USUAL) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with _as_refusal(), self.place(patience), self.engine.connect() as connection, Session(connection) as session:
            self._begin(connection, patience, {})
            yield session

    @contextmanager
    def snapshot(self, patience: Patience = USUAL) -> Iterator[Session]:
        """A session whose every query sees the database as it was at the first."""
        with _as_refusal(), self.place(patience), self.engine.connect() as connection, Session(connection) as session:
            self._begin(connection, patience, {} if self.embedded else {"isolation_level": "REPEATABLE READ"})
            yield session

    def _begin(self, connection: Connection, patience: Patience, options: dict[str, str], writes: bool = False) -> None:
        connection.execution_options(**options, turn=patience.turn)
        connection.begin()
        if not self.embedded:
            limit(connection, patience.answer, patience.together)
            if patience is LONG:
                allow_long_work(connection)
            elif writes and patience is not VISITOR:
                await_locks(connection, patience.turn)

    @contextmanager
    def place(self, patience: Patience = VISITOR) -> Iterator[None]:
        """One of the threads that may wait for the database. Raises StorageUnavailable when they are all taken.

        Else those who wait for a silent database would be all threads, and nobody left to answer from memory. A thread
        that has its place keeps it, and what a worker does by itself needs none.
        """
        if not has_request_context() or getattr(self._here, "placed", False):
            yield
            return
        pages = nullcontext() if patience is VISITOR else _held(self._pages, PAGE_WITHIN)
        with pages, _held(self._places, PLACE_WITHIN):
            self._here.placed = True
            try:
                yield
            finally:
                self._here.placed = False

    def close(self) -> None:
        """Write SQLite's log back into the file and cut it, unless others read or write, and let all connections go.

        A log that stays behind would be taken for that of whatever file is put in this one's place.
        """
        if self.embedded:
            with suppress(StorageUnavailable):
                self.alone("PRAGMA wal_checkpoint(TRUNCATE)")
        self.engine.dispose()

    def alone(self, statement: str, wait: float | None = None, turn: bool = True) -> Any:
        """Run a statement that wants no transaction around it; `wait` is for its locks, in seconds.

        Without a `turn` others write meanwhile.

        Raises StorageUnavailable when the database is away, locked for too long or full.
        """
        options: dict[str, Any] = {"begin": None} if self.embedded else {"isolation_level": "AUTOCOMMIT"}
        options["turn"] = LONG.turn if wait is None else wait
        with (
            _as_refusal(),
            self._turn(LONG) if turn else nullcontext(),
            self.engine.connect().execution_options(**options) as connection,
        ):
            if not self.embedded:
                limit(connection, LONG.answer, LONG.together)
                lent = is_pooled(connection)
                # It goes back to nobody as it is then. What a pooler lends, others would have after us.
                connection.detach()
                if not lent:
                    allow_long_work(connection, transaction_only=False)
                    await_locks(connection, options["turn"], transaction_only=False)
            result = connection.exec_driver_sql(statement)
            return result.scalar() if result.returns_rows else None

    @contextmanager
    def _turn(self, patience: Patience) -> Iterator[None]:
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
            self._lock(descriptor, patience.turn)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int, patience: float) -> None:
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
            waiting.join(patience)
            if not waiting.is_alive():
                return
            # Its descriptor is closed now: whenever it gets the lock, the kernel takes that back at once.
            self._given_up = waiting
        raise StorageUnavailable("Another process holds the database; nothing was recorded. Send it again later.")


class _Joined(Session):
    """A session within its connection's transaction."""

    def rollback(self) -> None:
        """Take back all of it, also what went by the connection."""
        super().rollback()
        connection_of(self).rollback()


def connection_of(session: Session) -> Connection:
    """The connection of a session, for what needs nothing of the session's own.

    One that this file made is not used by that: then it begins nothing and ends nothing, which takes as long as a few
    rows.
    """
    return session.bind if isinstance(session.bind, Connection) else session.connection()


# PostgreSQL's code for a write on a standby, or where the operator allows none.
READ_ONLY = "25006"
# PostgreSQL's code for what a trigger refuses.
RAISED = "P0001"


@contextmanager
def _held(places: threading.BoundedSemaphore, within: float) -> Iterator[None]:
    if not places.acquire(timeout=within):
        raise StorageUnavailable("The database is busy; nothing was recorded. Ask again later.")
    try:
        yield
    finally:
        places.release()


@contextmanager
def _counted() -> Iterator[None]:
    try:
        yield
    except StorageUnavailable:
        measure(DATABASE_FAILURES.inc)
        raise


@contextmanager
def _as_refusal() -> Iterator[None]:
    try:
        yield
    except NoConnectionLeft as error:
        raise StorageUnavailable("No connection to the database is free. Send it again later.") from error
    except DBAPIError as error:
        if _lacks_migrations(error):
            raise StorageUnavailable(_EMPTY if _is_new_file(error) else _LACKS_MIGRATIONS) from error
        if _is_own_fault(error):
            raise
        if getattr(error.orig, "sqlstate", None) == READ_ONLY:
            raise StorageUnavailable("The database takes no writes now. Send it again later.") from error
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
    # The database is well where it refuses what was to be written, by a constraint or by a trigger.
    return isinstance(error, (DataError, IntegrityError)) or getattr(error.orig, "sqlstate", None) == RAISED


_LACKS_MIGRATIONS = "The database is missing migrations. Run: consent migrate"
_EMPTY = (
    "The database is empty. Run this in the folder in which `consent serve` was started, or name its instance folder "
    "in CONSENT_INSTANCE; where there is none yet: consent serve, or consent migrate"
)


def _is_new_file(error: DBAPIError) -> bool:
    return str(error.orig).startswith("no such table")


def _lacks_migrations(error: DBAPIError) -> bool:
    # PostgreSQL's codes for an unknown table and an unknown column; SQLite has only words.
    code = getattr(error.orig, "sqlstate", None)
    return code in ("42P01", "42703") or str(error.orig).startswith(("no such table", "no such column"))


def _keep_values_back(context: ExceptionContext) -> None:
    # PostgreSQL's details are those of the row: "Failing row contains (…)".
    original = context.original_exception
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    if primary and str(original) != primary:
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (context.sqlalchemy_exception.args[0].replace(str(original), primary),)
        original.args = (primary,)


def _close_what_comes_late(engine: Engine) -> None:
    """Close a connection that comes back when its pool was let go: nobody would look for it there any more."""

    def comes(_dialect: Any, record: Any, *_address: Any) -> None:
        # Before it is made, which takes seconds at times.
        record.info["pool"] = engine.pool

    def went_back(_connection: Any, record: Any) -> None:
        if record.info.get("pool") is not engine.pool:
            record.invalidate()

    event.listen(engine, "do_connect", comes)
    event.listen(engine, "checkin", went_back)


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
    cursor.close()


def _end(connection: Any, _record: Any, _state: Any) -> None:
    # A COMMIT that fails leaves SQLite's transaction open.
    connection.rollback()


def _begin(connection: Any) -> None:
    options = connection.get_execution_options()
    turn = options.get("turn", USUAL.turn)
    if connection.info.get("turn") != turn:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={turn * 1000:.0f}")
        connection.info["turn"] = turn
    # A writer that first reads under BEGIN can fail at its first write; BEGIN IMMEDIATE waits at the start.
    statement = options.get("begin", "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)
