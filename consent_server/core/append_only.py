"""Triggers by which the database itself refuses to change history, whatever the code above it does.

A trigger that is in force somewhere stays as it was written there: what changes here changes by a migration too.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, text

# Tables whose rows nobody changes or deletes, by the migration that closes them.
FROZEN = {
    "0002": ("notices", "publications", "widgets", "leaves", "checkpoints", "removals", "removed"),
    "0004": ("cosignatures",),
    "0005": ("timestamps",),
    "0006": ("configurations", "pictures"),
}
# Since this migration SQLite also refuses that a row is put over another (REPLACE): that fires no DELETE trigger
# unless the connection asks for it, which is the choice of whoever opened it.
REPLACING = "0014"
# What tells a table's rows apart, beside the number that each row of SQLite has.
KEYS = {
    "notices": (("hash",),),
    "publications": (),
    "widgets": (("hash",),),
    "leaves": (("site_id", "leaf_index"), ("decision_row",), ("removal_id",)),
    "checkpoints": (("site_id", "size"),),
    "removals": (),
    "removed": (("site_id", "first"),),
    "cosignatures": (("site_id", "size", "witness", "key_id"),),
    "timestamps": (("digest",),),
    "configurations": (("notice_id", "widget", "language", "hash"),),
    "pictures": (("notice_id", "widget", "language", "width"),),
    "decisions": (("site_id", "decision_id"), ("receipt_id",)),
    "tiles": (("site_id", "level", "index"),),
}
# Closed by the first of these migrations too, each with an exception of its own.
GROWING = ("decisions", "tiles")
# Where the product inserts what is not there yet (ON CONFLICT DO NOTHING): the row that is there stays, unsaid.
ONCE = frozenset({"widgets", "decisions", "cosignatures", "timestamps", "configurations", "pictures"})

# A record goes only when a removal names its leaf: the signed entry comes first, in the same transaction.
# Ranges never overlap, so only the last one that begins before a leaf can hold it.
NAMED_BY_A_REMOVAL = (
    "EXISTS (SELECT 1 FROM leaves WHERE leaves.decision_row = OLD.id AND leaves.leaf_index <="
    " (SELECT removed.last FROM removed WHERE removed.site_id = leaves.site_id"
    " AND removed.first <= leaves.leaf_index ORDER BY removed.first DESC LIMIT 1))"
)
# A tile stays in its place and grows at its end: every older version stays its beginning.
SAME_TILE = 'NEW.site_id = OLD.site_id AND NEW.level = OLD.level AND NEW."index" = OLD."index"'
GROWN = {
    "sqlite": f"NEW.rowid = OLD.rowid AND {SAME_TILE} AND substr(NEW.hashes, 1, length(OLD.hashes)) = OLD.hashes",
    "postgresql": f"{SAME_TILE} AND substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) = OLD.hashes",
}
# The ledger puts a fuller tile over the one that is there.
SHRINKS = " AND substr(NEW.hashes, 1, length(hashes)) <> hashes"


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
    else:
        for table in _guarded_inserts(migration):
            yield _insert_guard(table)


def mended(dialect: str) -> Iterator[str]:
    """The DDL that has tiles stay in their place, for databases whose trigger looked at their hashes alone."""
    if dialect == "sqlite":
        yield "DROP TRIGGER tiles_keep_update"
        yield from _trigger(dialect, "tiles", "UPDATE", GROWN[dialect])
    else:
        function, _ = _trigger(dialect, "tiles", "UPDATE", GROWN[dialect])
        yield function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


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
            "SELECT tgname FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgname LIKE '%\\_keep\\_%'"
        )
    return set(connection.scalars(text(query)))


def expected(dialect: str) -> set[str]:
    """The names that should be in force."""
    made = (line for migration in (*FROZEN, REPLACING) for line in statements(dialect, migration))
    return {line.split()[2] for line in made if line.startswith("CREATE TRIGGER")}


def missing(connection: Connection) -> set[str]:
    """The names that should be in force on a database and are not."""
    return expected(connection.dialect.name) - names(connection)


def _rules(dialect: str, migration: str) -> list[tuple[str, str, str]]:
    frozen = FROZEN.get(migration, ())
    rules = [(table, operation, "FALSE") for table in frozen for operation in ("UPDATE", "DELETE")]
    if migration == "0002":
        rules += [
            ("decisions", "UPDATE", "FALSE"),
            ("decisions", "DELETE", NAMED_BY_A_REMOVAL),
            ("tiles", "UPDATE", GROWN[dialect]),
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


def _guarded_inserts(migration: str) -> list[str]:
    # Tables that were closed before are guarded by that migration; later ones by their own.
    if migration == REPLACING:
        return [*(table for closed, tables in FROZEN.items() if closed < REPLACING for table in tables), *GROWING]
    return list(FROZEN[migration]) if migration > REPLACING else []


def _insert_guard(table: str) -> str:
    """SQLite's refusal of an insert that would take the place of a row.

    A row that brings no number of its own has the number -1 here. Numbers that are given begin at 1: a row that
    somebody puts in under a lower one is no obstacle to all others.
    """
    taken = [_taken(table, "rowid = NEW.rowid AND rowid > 0")]
    for key in KEYS[table]:
        same = " AND ".join(f'"{name}" = NEW."{name}"' for name in key)
        taken.append(_taken(table, f"{same}{SHRINKS if table == 'tiles' else ''}"))
    refusal = "RAISE(IGNORE)" if table in ONCE else f"RAISE(ABORT, '{table} are kept as they are')"
    return (
        f"CREATE TRIGGER {table}_keep_insert BEFORE INSERT ON {table} WHEN {' OR '.join(taken)}"
        f" BEGIN SELECT {refusal}; END"
    )


def _taken(table: str, condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM {table} WHERE {condition})"  # noqa: S608  names of this file, no values
