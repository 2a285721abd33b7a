"""Triggers by which the database itself refuses to change history, whatever the code above it does."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

# Tables whose rows nobody changes or deletes, by the migration that closes them.
FROZEN = {
    "0002": ("notices", "publications", "widgets", "leaves", "checkpoints", "removals", "removed"),
    "0004": ("cosignatures",),
    "0005": ("timestamps",),
    "0006": ("configurations", "pictures"),
}

# A record goes only when a removal names its leaf: the signed entry comes first, in the same transaction.
# Ranges never overlap, so only the last one that begins before a leaf can hold it.
NAMED_BY_A_REMOVAL = (
    "EXISTS (SELECT 1 FROM leaves WHERE leaves.decision_row = OLD.id AND leaves.leaf_index <="
    " (SELECT removed.last FROM removed WHERE removed.site_id = leaves.site_id"
    " AND removed.first <= leaves.leaf_index ORDER BY removed.first DESC LIMIT 1))"
)
# A tile grows at its end: every older version stays its beginning.
PREFIX = {
    "sqlite": "substr(NEW.hashes, 1, length(OLD.hashes)) = OLD.hashes",
    "postgresql": "substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) = OLD.hashes",
}


def statements(dialect: str, migration: str) -> Iterator[str]:
    """The DDL of the triggers that a migration adds to a database."""
    rules = _rules(dialect, migration)
    for table, operation, allowed in rules:
        yield from _trigger(dialect, table, operation, allowed)
    if dialect == "postgresql":
        # TRUNCATE fires no row trigger.
        for table in dict.fromkeys(table for table, _, _ in rules):
            yield (
                f"CREATE TRIGGER {table}_keep_truncate BEFORE TRUNCATE ON {table}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep_delete()"
            )


def removals(dialect: str, migration: str) -> Iterator[str]:
    """The DDL that takes a migration's triggers away again."""
    created = [line.split() for line in statements(dialect, migration)]
    for words in created:
        if words[1] == "TRIGGER":
            yield f"DROP TRIGGER {words[2]}" + (f" ON {words[6]}" if dialect == "postgresql" else "")
    for words in created:
        if words[1] == "FUNCTION":
            yield f"DROP FUNCTION {words[2]}"


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
    made = (line for migration in FROZEN for line in statements(dialect, migration))
    return {line.split()[2] for line in made if line.startswith("CREATE TRIGGER")}


def _rules(dialect: str, migration: str) -> list[tuple[str, str, str]]:
    rules = [(table, operation, "FALSE") for table in FROZEN[migration] for operation in ("UPDATE", "DELETE")]
    if migration == "0002":
        rules += [
            ("decisions", "UPDATE", "FALSE"),
            ("decisions", "DELETE", NAMED_BY_A_REMOVAL),
            ("tiles", "UPDATE", PREFIX[dialect]),
            ("tiles", "DELETE", "FALSE"),
        ]
    return rules


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
