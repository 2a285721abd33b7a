"""What sessions of PostgreSQL are told, also where a pooler (PgBouncer) lends each for one transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

_POOLED = "pooled"
# PostgreSQL's codes (appendix A of its manual): a server that is a standby by now; a session that lacks what psycopg
# prepared, has it already, or has it for tables of another form.
USELESS_SESSION = frozenset(["25006", "26000", "42P05", "0A000"])


def tell_sessions(engine: Engine, settings: Mapping[str, str]) -> None:
    """Have each transaction on the engine run under these settings of the server, whoever's session it has."""
    local = _statement(settings, "true")

    def tell_session(connection: Any, record: Any) -> None:
        record.info[_POOLED] = _has_pooler(connection)
        if record.info[_POOLED]:
            # What is set for a session, or prepared in it, would be met by others and not by us.
            connection.prepare_threshold = None
        else:
            connection.execute(_statement(settings, "false"))
        connection.commit()

    def tell_transaction(connection: Connection) -> None:
        if is_pooled(connection):
            connection.exec_driver_sql(local)

    event.listen(engine, "connect", tell_session)
    event.listen(engine, "begin", tell_transaction)
    event.listen(engine, "handle_error", _give_up_session)


def is_pooled(connection: Connection) -> bool:
    """Whether its session is lent for one transaction: nothing may be set or prepared for longer."""
    return bool(connection.info.get(_POOLED))


def _has_pooler(connection: Any) -> bool:
    """A pooler greets with a process id of its own, not with that of the server's process."""
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(connection.info.backend_pid != pid)


def _statement(settings: Mapping[str, str], transaction_only: str) -> str:
    parts = (f"set_config('{name}', '{value}', {transaction_only})" for name, value in settings.items())
    return f"SELECT {', '.join(parts)}"


def _give_up_session(context: ExceptionContext) -> None:
    if getattr(context.original_exception, "sqlstate", None) in USELESS_SESSION:
        context.is_disconnect = True
