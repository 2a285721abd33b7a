"""Connections to PostgreSQL on which every wait has an end, whatever becomes of the server or of the way to it."""

import math
import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, event

from consent_server.core.pooled_sessions import tell_sessions

T = TypeVar("T")

# Seconds to connect, for each host of the address; libpq takes no fewer. What the first words then take counts anew.
CONNECT = 2
# In libpq's names; what the address says of them goes before. A host that is gone is noticed by its silence.
LINK = {
    "connect_timeout": CONNECT,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "fallback_application_name": "consent",
}
# What the server ends by itself, so that nothing of ours holds anybody up: a wait for a lock, a statement,
# a transaction that nobody goes on with, the session of a machine that is gone.
SESSION = {
    "lock_timeout": "1s",
    "statement_timeout": "9s",
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


class Connection(psycopg.Connection[Any]):
    """Waits `answer_within` seconds for an answer, and for none beyond `answer_by` on the monotonic clock.

    A session that did not answer in time is over: nobody knows what it was about to say.
    """

    answer_within: float = CONNECT
    answer_by: float = math.inf

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Raises OperationalError when there is no answer in time."""
        left = min(self.answer_within, max(self.answer_by - time.monotonic(), interval))
        try:
            return super().wait(gen, interval, timeout if left == math.inf else left)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError("The database did not answer in time.") from None


def wait_within_limits(engine: Engine) -> None:
    """Have all connections of an engine be such ones."""
    event.listen(engine, "do_connect", _connect)
    tell_sessions(engine, SESSION)
    event.listen(engine, "connect", _wait_for_answers)


def allow_long_work(connection: SqlConnection, transaction_only: bool = True) -> None:
    """Have the server end neither a statement nor a transaction of this connection for taking long.

    Who waits for a lock still gives up after five seconds: others queue behind.
    """
    _set(connection, transaction_only, statement_timeout="0", idle_in_transaction_session_timeout="0")
    await_locks(connection, 5, transaction_only)


def await_locks(connection: SqlConnection, seconds: float, transaction_only: bool = True) -> None:
    """Have the server wait for each lock so long, rather than the second that a visitor's request has."""
    _set(connection, transaction_only, lock_timeout=f"{seconds * 1000:.0f}ms")


def _set(connection: SqlConnection, transaction_only: bool, **settings: str) -> None:
    for name, value in settings.items():
        connection.exec_driver_sql("SELECT set_config(%s, %s, %s)", (name, value, transaction_only))


def limit(connection: SqlConnection, each: float, together: float) -> None:
    """Wait so many seconds for each answer from now on, and so many for all."""
    session = connection.connection.driver_connection
    assert isinstance(session, Connection)
    session.answer_within, session.answer_by = each, time.monotonic() + together


def _connect(_dialect: Any, _record: Any, arguments: Any, named: Any) -> Connection:
    return Connection.connect(*arguments, **{**LINK, **named})


def _wait_for_answers(connection: Any, _record: Any) -> None:
    # The first words are said; from here on each session says how long it waits.
    connection.answer_within = math.inf
