"""INSERT statements that go to the driver as text: made once a dialect, not looked through for each batch of rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = sqlite.Insert | postgresql.Insert
Row = Mapping[str, Any]


class DriverInsert:
    """Inserts whole rows into a table; `on_conflict` says what becomes of a row whose key is there.

    SQLAlchemy's own way to the driver takes as long as the database does for a few rows. The statement is its own,
    and so is what each type makes of a value.
    """

    def __init__(self, table: Table, on_conflict: Callable[[Insert], Insert]) -> None:
        self._table = table
        self._on_conflict = on_conflict
        self._made: dict[str, _Statement] = {}

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Insert rows that each have every column; return how many the database took."""
        statement = self._made.get(connection.dialect.name)
        if statement is None:
            statement = self._made[connection.dialect.name] = self._make(connection.dialect)
        bound = [statement.bind(row) for row in rows]
        # One row goes as one statement: psycopg opens a pipeline for a list, even for a list of one.
        return connection.exec_driver_sql(statement.text, bound if len(bound) > 1 else bound[0]).rowcount

    def _make(self, dialect: Dialect) -> "_Statement":
        insert = (sqlite if dialect.name == "sqlite" else postgresql).insert(self._table)
        # The database numbers rows by itself.
        columns = {
            column.name: column for column in self._table.columns if column is not self._table.autoincrement_column
        }
        compiled = self._on_conflict(insert).compile(dialect=dialect, column_keys=list(columns))
        places = compiled.positiontup
        binders = [(name, _binder(columns[name], dialect)) for name in places or columns]
        return _Statement(str(compiled), binders, places is not None)


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    binders: list[tuple[str, Callable[[Any], Any] | None]]
    by_place: bool

    def bind(self, row: Row) -> Any:
        """The row as the driver takes it: by place or by name."""
        if self.by_place:
            return tuple([bind(row[name]) if bind else row[name] for name, bind in self.binders])
        return {name: bind(row[name]) if bind else row[name] for name, bind in self.binders}


def _binder(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return column.type.dialect_impl(dialect).bind_processor(dialect)
