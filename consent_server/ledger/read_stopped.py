"""Which ledgers are not sealed, and why, as far as that is seen without replaying any."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof, StorageUnavailable
from consent_server.core.keys import KeyRing
from consent_server.core.notes import parse_checkpoint, parse_note
from consent_server.core.seal_guard import LEEWAY, SealGuard, site_ledger
from consent_server.ledger import store as ledgers
from consent_server.ledger.may_seal import site_key, time_by_clock
from consent_server.ledger.rows import CheckpointRow


def read_stopped(database: Database, ring: KeyRing, now: datetime) -> dict[str, str]:
    """By site: the database is behind what was signed, or the last checkpoint lies ahead. Reads one row a ledger."""
    with database.reading() as session:
        newest = ledgers.newest_checkpoints(session)
        return {site_key(origin): why for origin, row in newest for why in _reasons(session, ring, origin, row, now)}


def _reasons(
    session: Session, ring: KeyRing, origin: str, newest: CheckpointRow | None, now: datetime
) -> Iterator[str]:
    try:
        if ring.guard is not None and (why := _behind(ring.guard, origin, newest)):
            yield f"{why} Run: consent ledger recover {site_key(origin)}"
        elif ring.guard is not None and (alarm := ring.guard.alarms.of(origin)):
            yield f"Witness {alarm}. Run: consent ledger recover {site_key(origin)} --checkpoint KEPT"
        elif newest is not None and newest.sealed_at > now + timedelta(seconds=LEEWAY):
            time_by_clock(session, ring, ledgers.get(session, newest.site_id), newest, now)
    except (InvalidProof, StorageUnavailable) as error:
        yield error.detail


def _behind(guard: SealGuard, origin: str, newest: CheckpointRow | None) -> str | None:
    known = guard.signed.of(origin)
    if known is None or site_ledger(known.origin)[1] < site_ledger(origin)[1]:
        return None
    size = newest.size if newest else 0
    if known.origin != origin or known.size > size:
        return f"The database is behind: {size} leaves are sealed here, and {known.origin} had signed {known.size}."
    if newest and known.size == size and parse_checkpoint(parse_note(newest.note).text).root != known.root:
        return f"The checkpoint of {size} leaves here is not the one that was signed."
    return None
