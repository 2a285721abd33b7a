"""Counters of banners shown."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.storage.rows import ShownRow

TABLE: Table = ShownRow.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class View:
    """One banner shown, as far as it is counted: nothing in it tells one visitor from another."""

    site_id: int
    notice_id: int
    day: date
    language: str
    device: str


def add(session: Session, views: Counter[View]) -> None:
    """Add to the counters. Cells in a fixed order, so that two writers never wait for each other in a ring."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(TABLE)
    upsert = insert.on_conflict_do_update(
        index_elements=list(TABLE.primary_key), set_={"count": TABLE.c.count + insert.excluded.count}
    )
    cells = sorted(views.items(), key=lambda cell: tuple(map(str, asdict(cell[0]).values())))
    session.connection().execute(upsert, [{**asdict(view), "count": count} for view, count in cells])
