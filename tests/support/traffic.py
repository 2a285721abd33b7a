"""What goes to the database while something runs: how often it is opened, and what is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event


@dataclass(slots=True)
class Traffic:
    """Transactions begun, and the statements in them; what opens and closes a transaction is none."""

    transactions: int = 0
    statements: list[str] = field(default_factory=list)

    def asks(self, table: str) -> int:
        """How many statements name a table."""
        return sum(f" {table}" in statement for statement in self.statements)


@contextmanager
def watch(engine: Engine) -> Iterator[Traffic]:
    """Count until the block ends."""
    traffic = Traffic()

    def begin(_: Any) -> None:
        traffic.transactions += 1

    def execute(_: Any, __: Any, statement: str, *___: Any) -> None:
        if not statement.startswith("BEGIN"):
            traffic.statements.append(" ".join(statement.split()))

    event.listen(engine, "begin", begin)
    event.listen(engine, "before_cursor_execute", execute)
    try:
        yield traffic
    finally:
        event.remove(engine, "begin", begin)
        event.remove(engine, "before_cursor_execute", execute)
