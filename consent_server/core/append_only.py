"""Triggers by which the database itself refuses to change history, whatever the code above it does.

Their SQL is frozen in migrations/triggers/: what is in force somewhere stays as it was written there, and changes by a
new migration alone.
"""

from sqlalchemy import Connection, text

# Nobody changes or deletes a row of these, but for a record whose removal is in the ledger and a tile that grows.
KEPT = (
    "notices", "publications", "widgets", "leaves", "checkpoints", "removals", "removed", "cosignatures", "timestamps",
    "configurations", "pictures", "decisions", "tiles",
)  # fmt: skip
# SQLite's REPLACE fires no DELETE trigger, and PostgreSQL's TRUNCATE no row trigger at all.
REFUSED = {"sqlite": ("update", "delete", "insert"), "postgresql": ("update", "delete", "truncate")}


def names(connection: Connection) -> set[str]:
    """The append-only triggers that are in force on a database."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%\\_keep\\_%' ESCAPE '\\'"
    else:
        query = (
            "SELECT tgname FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgname LIKE '%\\_keep\\_%'"
        )
    return set(connection.scalars(text(query)))


def expected(dialect: str) -> set[str]:
    """The names that should be in force."""
    return {f"{table}_keep_{operation}" for table in KEPT for operation in REFUSED[dialect]}


def missing(connection: Connection) -> set[str]:
    """The names that should be in force on a database and are not."""
    return expected(connection.dialect.name) - names(connection)
