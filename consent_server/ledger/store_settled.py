"""Up to which record nothing can come in between any more."""

import time

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from consent_server.core.errors import StorageUnavailable
from consent_server.decisions.rows import DecisionRow

# Seconds that a run waits for those who write.
PATIENCE = 5


def settled_decision(session: Session) -> int:
    """The highest decision row id below which no row can appear any more; call it in a transaction of its own.

    PostgreSQL hands out ids before it commits them, and before that it gives whoever writes to a table a lock on it.
    So what is still to come below the highest id belongs to transactions that hold this lock now. These are waited
    for, and none that begins later; nobody waits for this. Raises StorageUnavailable when one does not end.
    """
    highest = session.scalar(select(func.max(DecisionRow.id))) or 0
    if session.get_bind().dialect.name == "postgresql":
        _outlast(session, _writers(session))
    return highest


def _outlast(session: Session, writers: set[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while writers & _writers(session):
        if time.monotonic() > deadline:
            holders = ", ".join(_holders(session, writers)) or "it has just ended"
            raise StorageUnavailable(
                f"A transaction that writes records has not ended; they are sealed once it has: {holders}."
            )
        time.sleep(0.01)


def _holders(session: Session, writers: set[str]) -> list[str]:
    """Who is waited for, as an operator finds them."""
    query = (
        "SELECT DISTINCT pid, coalesce(nullif(application_name, ''), 'no name'), coalesce(state, 'state unknown')"
        " FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)"
        " WHERE virtualtransaction = ANY(:writers) AND relation = 'decisions'::regclass"
    )
    return [
        f"pid {pid} ({name}, {state}); if nobody needs it: SELECT pg_terminate_backend({pid})"
        if pid is not None
        else "a prepared transaction; see pg_prepared_xacts"
        for pid, name, state in session.execute(text(query), {"writers": sorted(writers)})
    ]


def _writers(session: Session) -> set[str]:
    # As of this moment, whatever the transaction has seen before. No transaction's number comes twice.
    query = (
        "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = 'decisions'::regclass"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid()"
    )
    return set(session.scalars(text(query)))
