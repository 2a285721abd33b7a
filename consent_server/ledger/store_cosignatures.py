"""Witnesses' signature lines, and checkpoints as the outside sees them: with these lines under their own."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from consent_server.core.notes import NoteKey
from consent_server.ledger.rows import CheckpointRow, CosignatureRow
from consent_server.ledger.rules_witness import CosignedCheckpoint

COSIGNATURES: Table = CosignatureRow.__table__  # type: ignore[assignment]
PAGE = 500


def keep(session: Session, site_id: int, size: int, key: NoteKey, line: str, cosigned_at: datetime) -> None:
    """Keep a verified line. Whoever comes second with one of the same key changes nothing."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values = {
        "site_id": site_id,
        "size": size,
        "witness": key.name,
        "key_id": key.id,
        "line": line,
        "cosigned_at": cosigned_at,
    }
    session.connection().execute(dialect.insert(COSIGNATURES).on_conflict_do_nothing(), values)


def newest_size(session: Session, site_id: int, key: NoteKey) -> int:
    """The size of the newest checkpoint that a witness cosigned, as far as we know; 0 before the first."""
    of_key = (CosignatureRow.witness == key.name, CosignatureRow.key_id == key.id)
    return session.scalar(select(func.max(CosignatureRow.size)).where(CosignatureRow.site_id == site_id, *of_key)) or 0


def size_sealed_by(session: Session, site_id: int, at: datetime) -> int:
    """The size of the newest checkpoint of a ledger that was there at a time; 0 before the first."""
    query = select(CheckpointRow.size).where(CheckpointRow.site_id == site_id, CheckpointRow.sealed_at <= at)
    return session.scalar(query.order_by(CheckpointRow.size.desc()).limit(1)) or 0


def line_of(session: Session, site_id: int, size: int, key: NoteKey) -> str | None:
    """The line of one witness under one checkpoint."""
    row = session.get(CosignatureRow, (site_id, size, key.name, key.id))
    return row.line if row else None


def newest_checkpoint(session: Session, site_id: int) -> CosignedCheckpoint | None:
    """The newest checkpoint of a ledger, cosigned or not yet."""
    return next(iter(_joined(session, _of(site_id).order_by(CheckpointRow.size.desc()).limit(1))), None)


def page(session: Session, site_id: int, after: int, limit: int) -> list[CosignedCheckpoint]:
    """Checkpoints longer than `after`, oldest first."""
    return _joined(session, _of(site_id).where(CheckpointRow.size > after).order_by(CheckpointRow.size).limit(limit))


def checkpoints(session: Session, site_id: int, after: int = -1) -> Iterator[CosignedCheckpoint]:
    """All of them, a few at a time."""
    while some := page(session, site_id, after, PAGE):
        yield from some
        after = some[-1].size


def every(session: Session, site_id: int) -> Iterator[tuple[CheckpointRow | None, CosignatureRow]]:
    """Each kept line with the checkpoint that it stands under, None where that is gone; oldest first."""
    query = (
        select(CheckpointRow, CosignatureRow)
        .select_from(CosignatureRow)
        .outerjoin(CheckpointRow, _same(CheckpointRow))
        .where(CosignatureRow.site_id == site_id)
        .order_by(CosignatureRow.size, *_ORDER)
        .execution_options(yield_per=PAGE)
    )
    yield from session.execute(query)


# The order of lines in a note: any one would do, so long as it stays.
_ORDER = (CosignatureRow.cosigned_at, CosignatureRow.witness, CosignatureRow.key_id)


def _of(site_id: int) -> Select[CheckpointRow]:
    return select(CheckpointRow).where(CheckpointRow.site_id == site_id)


def _same(checkpoint: Any) -> Any:
    return (CosignatureRow.site_id == checkpoint.site_id) & (CosignatureRow.size == checkpoint.size)


def _joined(session: Session, chosen: Select[CheckpointRow]) -> list[CosignedCheckpoint]:
    checkpoint = aliased(CheckpointRow, chosen.subquery())
    rows = session.execute(
        select(checkpoint.size, checkpoint.sealed_at, checkpoint.note, CosignatureRow.line)
        .outerjoin(CosignatureRow, _same(checkpoint))
        .order_by(checkpoint.size, *_ORDER)
    )
    return [
        CosignedCheckpoint(size, sealed_at, note + "".join(row[3] or "" for row in lines))
        for (size, sealed_at, note), lines in groupby(rows, key=lambda row: (row[0], row[1], row[2]))
    ]
