"""Write tables anew, so that what was deleted from them is in no file of the database any more.

Both databases leave copies of rows behind in the unused parts of their pages, whenever they move rows or entries of an
index. Only what is written anew has none.
"""

import time

from sqlalchemy import Table, delete, insert, select, text
from sqlalchemy.orm import Session

from consent_server.core.database import Database
from consent_server.core.errors import StorageUnavailable

# Seconds in which those who read must come to an end: nobody else waits for this.
PATIENCE = 60
# Seconds that one attempt waits for readers to end, and that writers have before the next: they queue behind it.
ATTEMPT = 0.05


def rewrite_tables(database: Database, *tables: Table) -> None:
    """Write small tables anew: milliseconds for a thousand rows, and whoever writes meanwhile waits that long.

    Raises StorageUnavailable when somebody reads for longer than a minute; then call it again.
    """
    deadline = time.monotonic() + PATIENCE
    if database.embedded:
        with database.transaction() as session:
            for table in tables:
                _refill(session, table)
        _cut_log(database, deadline)
    else:
        _outlast_readers(database, deadline)
        for table in tables:
            _try(database, f"VACUUM FULL {table.name}", deadline)


def rewrite_files(database: Database) -> None:
    """Write every record anew: takes seconds a gigabyte, and nobody can write meanwhile.

    Raises StorageUnavailable when somebody reads for too long or the disk has no room; then call it again.
    """
    if not database.embedded:
        _outlast_readers(database, time.monotonic() + PATIENCE)
    database.alone("VACUUM" if database.embedded else "VACUUM FULL decisions, tallies, record_keys")
    if database.embedded:
        _cut_log(database, time.monotonic() + PATIENCE)


def _refill(session: Session, table: Table) -> None:
    # To empty a table is to free all its pages, and secure_delete overwrites each that is freed. Nothing leaves
    # memory: a temporary table could be a file.
    connection = session.connection()
    read = select(table).order_by(*table.primary_key).compile(connection)
    # As the driver has them: others write after this, and by way of their types it takes ten times as long.
    rows = [tuple(row) for row in connection.exec_driver_sql(str(read))]
    connection.execute(delete(table))
    if rows:
        connection.exec_driver_sql(str(insert(table).compile(connection)), rows)


def _cut_log(database: Database, deadline: float) -> None:
    # SQLite's log holds older pages until it is written back and cut; a reader may keep it from that. Most is written
    # back first, while others write.
    database.alone("PRAGMA wal_checkpoint(PASSIVE)", turn=False)
    _try(database, "PRAGMA wal_checkpoint(TRUNCATE)", deadline)


def _try(database: Database, statement: str, deadline: float) -> None:
    while True:
        try:
            if not database.alone(statement, ATTEMPT):
                return
            refusal = StorageUnavailable("The log is in use.")
        except StorageUnavailable as error:
            refusal = error
        if time.monotonic() > deadline:
            raise refusal
        time.sleep(ATTEMPT)


def _outlast_readers(database: Database, deadline: float) -> None:
    """Wait for all transactions that began before: PostgreSQL copies along for them what they may still see."""
    before = _transactions(database)
    while before & _transactions(database):
        if time.monotonic() > deadline:
            raise StorageUnavailable("Somebody reads the database for long.")
        time.sleep(ATTEMPT)


def _transactions(database: Database) -> set[str]:
    # No transaction's number comes twice. Those of nobody are PostgreSQL's own housekeeping, which reads no rows.
    query = (
        "SELECT virtualtransaction FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'virtualxid'"
        " AND pid <> pg_backend_pid() AND datname = current_database() AND usesysid IS NOT NULL"
    )
    with database.reading() as session:
        return set(session.scalars(text(query)))
