"""Triggers by which the database itself refuses to change history, whatever the code above it does."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

# Rows that nobody changes or deletes.
FROZEN = ("notices", "publications", "widgets", "leaves", "checkpoints", "removals", "removed")

# A record goes only when a removal names its leaf: the signed entry comes first, in the same transaction.
NAMED_BY_A_REMOVAL = (
    "EXISTS (SELECT 1 FROM leaves JOIN removed ON removed.site_id = leaves.site_id"
    " AND leaves.leaf_index BETWEEN removed.first AND removed.last WHERE leaves.decision_row = OLD.id)"
)
# A tile grows at its end: every older version stays its beginning.
PREFIX = {
    "sqlite": "substr(NEW.hashes, 1, length(OLD.hashes)) = OLD.hashes",
    "postgresql": "substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) = OLD.hashes",
}


def statements(dialect: str) -> Iterator[str]:
    """The DDL of all triggers for a database."""
    rules = [(table, operation, "FALSE") for table in FROZEN for operation in ("UPDATE", "DELETE")]
    rules += [
        ("decisions", "UPDATE", "FALSE"),
        ("decisions", "DELETE", NAMED_BY_A_REMOVAL),
        ("tiles", "UPDATE", PREFIX[dialect]),
        ("tiles", "DELETE", "FALSE"),
    ]
    for table, operation, allowed in rules:
        yield from _trigger(dialect, table, operation, allowed)
    if dialect == "postgresql":
        # TRUNCATE fires no row trigger.
        for table in (*FROZEN, "decisions", "tiles"):
            yield (
                f"CREATE TRIGGER {table}_keep_truncate BEFORE TRUNCATE ON {table}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep_delete()"
            )


def names(connection: Connection) -> set[str]:
    """The append-only triggers that are in force on a database."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%\\_keep\\_%' ESCAPE '\\'"
    else:
        query = (
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgname LIKE '%\\_keep\\_%'"
        )
    return set(connection.scalars(text(query)))


def expected(dialect: str) -> set[str]:
    """The names that should be in force."""
    return {line.split()[2] for line in statements(dialect) if line.startswith("CREATE TRIGGER")}


def _trigger(dialect: str, table: str, operation: str, allowed: str) -> Iterator[str]:
    name = f"{table}_keep_{operation.lower()}"
    refusal = f"{table} are kept as they are"
    if dialect == "sqlite":
        yield (
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table} WHEN NOT ({allowed})"
            f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    row = "OLD" if operation == "DELETE" else "NEW"
    # TG_LEVEL: a TRUNCATE has no rows to ask about, and is never allowed.
    yield (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_LEVEL = 'ROW' THEN IF {allowed} THEN RETURN {row}; END IF; END IF;"
        f" RAISE EXCEPTION '{refusal}'; END $$"
    )
    yield (f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
