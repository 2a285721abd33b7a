"""The database itself refuses to change history, whichever way of changing a row somebody tries on whichever table."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Table, UniqueConstraint, create_engine, insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from consent_server.audit.report_gaps import report_gaps
from consent_server.core import append_only
from consent_server.core.columns import Base, UtcMilliseconds, UuidBytes
from consent_server.core.context import Context
from consent_server.sites.current_site import CurrentSites

pytestmark = pytest.mark.on_both_databases

TABLES: dict[str, Table] = dict(Base.metadata.tables)
KEPT = sorted(append_only.KEPT)
# What the product inserts unless it is there.
ONCE = ["configurations", "cosignatures", "decisions", "pictures", "timestamps", "widgets"]

Row = dict[str, Any]


def row_of(table: str, number: int) -> Row:
    """A row whose every value is that of its number; references lead to rows of the same number."""
    plain: dict[type, Any] = {int: number, str: f"{number}", bytes: bytes([number]) * 32, bool: number > 1}
    own: dict[type, Any] = {UtcMilliseconds: datetime.fromtimestamp(number, UTC), UuidBytes: UUID(int=number)}
    row = {
        column.name: own.get(type(column.type)) or plain.get(column.type.python_type, {})
        for column in TABLES[table].columns
    }
    # A removal, but not of the one leaf: its record is to stay.
    return row | {"first": 3, "last": 3} if table == "removed" and number == 1 else row


def keys_of(table: str) -> list[tuple[str, ...]]:
    """What tells the rows of a table apart: its primary key, and whatever else is unique."""
    unique = [one for one in TABLES[table].constraints if isinstance(one, UniqueConstraint)]
    return [tuple(column.name for column in one.columns) for one in (TABLES[table].primary_key, *unique)]


@pytest.fixture
def stranger(services: Context, database_url: str) -> Iterator[Connection]:
    """A console of the database, one row in each table: no setting of the product, every right of the owner."""
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name in (*KEPT, "sites"):
                connection.execute(insert(table), row_of(table.name, 1))
        yield connection
    engine.dispose()


def upserting(connection: Connection) -> Any:
    return sqlite if connection.dialect.name == "sqlite" else postgresql


def content(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    row_number = "rowid, " if connection.dialect.name == "sqlite" else ""
    return [tuple(row) for row in connection.execute(text(f"SELECT {row_number}* FROM {table}"))]


def is_refused(connection: Connection, table: str, statement: Any) -> bool:
    """Whether the table is as it was, and the database had no other reason for it."""
    before = content(connection, table)
    assert len(before) == 1
    reason = "kept as they are"
    try:
        connection.execute(statement)
    except DBAPIError as error:
        reason = str(error.orig)
    return content(connection, table) == before and "kept as they are" in reason


@pytest.mark.parametrize("table", KEPT)
def test_no_column_is_changed(stranger: Connection, table: str) -> None:
    for name, value in row_of(table, 2).items():
        change = TABLES[table].update().values({name: value})
        assert is_refused(stranger, table, change), name
        if stranger.dialect.name == "sqlite":
            assert is_refused(stranger, table, change.prefix_with("OR REPLACE")), name


@pytest.mark.parametrize("table", KEPT)
def test_no_row_is_deleted(stranger: Connection, table: str) -> None:
    assert is_refused(stranger, table, TABLES[table].delete())


@pytest.mark.parametrize("table", KEPT)
def test_no_row_is_put_over_another(stranger: Connection, table: str) -> None:
    for key in keys_of(table):
        # The same by this key alone.
        row = row_of(table, 2) | {name: row_of(table, 1)[name] for name in key}
        insertion = upserting(stranger).insert(TABLES[table]).values(row)
        upsert = insertion.on_conflict_do_update(index_elements=list(key), set_=row)
        assert is_refused(stranger, table, upsert), key
        if stranger.dialect.name == "sqlite":
            assert is_refused(stranger, table, insertion.prefix_with("OR REPLACE")), key


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("table", KEPT)
def test_no_table_is_emptied(stranger: Connection, table: str) -> None:
    assert is_refused(stranger, table, text(f"TRUNCATE {table} CASCADE"))


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("table", KEPT)
def test_no_row_is_put_over_another_by_its_hidden_number(stranger: Connection, table: str) -> None:
    assert is_refused(stranger, table, text(f"UPDATE OR REPLACE {table} SET rowid = rowid + 7"))
    # A number of its own is a row's `id`, where it has one.
    names = [f'"{column.name}"' for column in TABLES[table].columns if column.name != "id"]
    other = [
        f"CASE typeof({name}) WHEN 'integer' THEN {name} + 7 WHEN 'blob' THEN zeroblob(32) ELSE {name} || 'x' END"
        for name in names
    ]
    replace = f"REPLACE INTO {table} (rowid, {', '.join(names)}) SELECT rowid, {', '.join(other)} FROM {table}"
    assert is_refused(stranger, table, text(replace))


@pytest.mark.parametrize("table", ONCE)
def test_what_is_there_is_passed_over_and_the_rest_goes_in(stranger: Connection, table: str) -> None:
    def fresh(number: int) -> Row:
        references = {column.name for column in TABLES[table].columns if column.foreign_keys}
        return row_of(table, number) | {name: row_of(table, 1)[name] for name in references}

    known, once = row_of(table, 1), upserting(stranger).insert(TABLES[table]).on_conflict_do_nothing()
    before = content(stranger, table)
    # As the product inserts: one, several values, a list; and it counts on being told of fewer than it gave.
    assert stranger.execute(once, known).rowcount < 1
    assert stranger.execute(once.values([known, fresh(2), known])).rowcount < 3
    assert stranger.execute(once, [fresh(3), known, fresh(4)]).rowcount < 3
    *_, key = TABLES[table].primary_key.columns
    assert stranger.scalars(once.returning(key).values(known)).all() == []
    assert stranger.scalars(once.returning(key).values(fresh(5))).all() == [fresh(5)[key.name]]
    after = content(stranger, table)
    assert len(after) == 5
    assert before[0] in after


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("table", KEPT)
def test_a_row_under_a_number_that_is_never_given_keeps_no_other_out(stranger: Connection, table: str) -> None:
    names = [name for name in row_of(table, 1) if name != "id"]
    marks = ", ".join("?" for _ in names)
    columns = ", ".join(f'"{name}"' for name in names)
    for number, filler in ((-1, b"a"), (None, b"b"), (None, b"c")):
        stranger.exec_driver_sql(
            f"INSERT INTO {table} (rowid, {columns}) VALUES (?, {marks})", (number, *(filler for _ in names))
        )
    assert len(content(stranger, table)) == 4


def test_a_tile_grows_at_its_end(stranger: Connection) -> None:
    row = row_of("tiles", 1)
    for hashes in (row["hashes"] + bytes(32), row["hashes"] + bytes(64)):
        insertion = upserting(stranger).insert(TABLES["tiles"]).values(row | {"hashes": hashes})
        upsert = insertion.on_conflict_do_update(index_elements=keys_of("tiles")[0], set_={"hashes": hashes})
        stranger.execute(upsert)
        assert [row[-1] for row in content(stranger, "tiles")] == [hashes]


def test_every_guard_is_in_force(stranger: Connection, dialect: str) -> None:
    assert append_only.names(stranger) == append_only.expected(dialect)
    assert append_only.missing(stranger) == set()


@pytest.mark.parametrize(
    ("dialect", "statement"),
    [
        ("sqlite", "DROP TRIGGER leaves_keep_insert"),
        ("postgresql", "DROP TRIGGER leaves_keep_delete ON leaves"),
        ("postgresql", "ALTER TABLE leaves DISABLE TRIGGER leaves_keep_update"),
        ("postgresql", "ALTER TABLE leaves ENABLE REPLICA TRIGGER leaves_keep_truncate"),
    ],
)
def test_a_guard_that_is_gone_is_missed(services: Context, statement: str) -> None:
    with services.database.reading() as session:
        session.execute(text(statement))
        (gone,) = append_only.missing(session.connection())
    assert gone in statement


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_report_of_gaps_names_what_is_gone(services: Context, notice: str) -> None:
    site = services[CurrentSites].get("shop").site_id
    name = "The database refuses to change history"

    def finding() -> tuple[bool, str]:
        found = report_gaps(services.database, services.keys.ring, site).checks
        return next((one.ok, one.detail) for one in found if one.name == name)

    assert finding() == (True, "Every guard is in force.")
    with services.database.transaction() as session:
        session.execute(text("DROP TRIGGER checkpoints_keep_insert"))
    assert finding() == (False, "Not in force: checkpoints_keep_insert.")
