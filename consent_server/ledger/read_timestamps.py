"""The timestamps of a site, for anyone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent_server.core.database import Database
from consent_server.ledger import store_timestamps as timestamps


@dataclass(frozen=True, slots=True)
class ReadTimestamp:
    """What an authority saw, and when by its own clock. `size` is that of a checkpoint."""

    id: int
    kind: str
    size: int | None
    digest: bytes
    stamped_at: datetime


@dataclass(frozen=True, slots=True)
class TimestampPage:
    """Timestamps, newest first. `more`: there are older ones."""

    timestamps: Sequence[ReadTimestamp]
    more: bool


def read_timestamps(database: Database, site_id: int, before: int | None, limit: int) -> TimestampPage:
    """Up to `limit` timestamps older than the one of a row id: of checkpoints, notices and widget code."""
    with database.reading() as session:
        rows = timestamps.newest(session, site_id, before, limit + 1)
        page = [ReadTimestamp(row.id, row.kind, row.size, row.digest, row.stamped_at) for row in rows[:limit]]
        return TimestampPage(page, len(rows) > limit)


def read_timestamp(database: Database, site_id: int, digest: bytes) -> bytes:
    """The authority's answer about a SHA-256, in DER. Raises UnknownTimestamp."""
    with database.reading() as session:
        return timestamps.get(session, site_id, digest).reply


def time_of_notice(database: Database, notice_hash: str) -> datetime | None:
    """When an authority saw a notice; None while none did."""
    with database.reading() as session:
        return timestamps.time_of(session, notice_hash)
