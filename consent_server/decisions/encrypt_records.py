"""Encrypt what records from before there were keys have in the clear, in the background."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_server.core.database import Database, Session
from consent_server.core.errors import StorageUnavailable
from consent_server.core.rewriting import rewrite_files
from consent_server.decisions import store as decisions
from consent_server.decisions import store_encryption as encryption
from consent_server.decisions.rows import DecisionRow, EncryptionRow
from consent_server.decisions.supply_keys import KeySupply

# Records in one transaction: few enough that a visitor never waits noticeably behind it.
BATCH = 100
# For how long servers of the earlier version may still write after it began.
OVERLAP = timedelta(hours=1)
# PostgreSQL gives out row ids before it commits them: so many are looked at again at the end.
LATE = 10_000


@dataclass(frozen=True, slots=True)
class Encryption:
    """How far it is. `left` is how many row ids are still to be looked at.

    `rewritten`: the database's files were written anew since, or never held anything in the clear.
    """

    left: int
    ended: bool
    rewritten: bool


def read_encryption(database: Database) -> Encryption:
    """As of now; costs the same with more records."""
    with database.reading() as session:
        state = encryption.state(session)
        last = encryption.newest_record(session) if state.begun_at is None else state.begun_to
        left = 0 if state.ended else max(0, last - state.encrypted_to)
        return Encryption(left, state.ended, state.rewritten)


def not_rewritten(found: Encryption) -> str:
    """What an operator is told as long as the files are not rewritten."""
    if not found.ended:
        return (
            f"The server encrypts what records from before the upgrade have in the clear: {found.left} to go, and an"
            " hour after it began at the earliest. What is erased until then may stay in the database's files."
        )
    return (
        "The database's files may hold copies of what records had in the clear before the upgrade, also of those that"
        " are erased. Once, at a quiet hour, run: consent retention run --rewrite-files"
    )


class RecordEncryption:
    """One run: the keys that it gives out."""

    def __init__(self, database: Database, now: Callable[[], datetime], random: Callable[[int], bytes]) -> None:
        self._database, self._now = database, now
        self._keys = KeySupply(random)

    def encrypt_batch(self) -> int:
        """Encrypt the oldest records in the clear; return how many, 0 when none is left for now."""
        with self._database.reading() as session:
            if encryption.has_ended(session):
                return 0
        with self._database.transaction() as session:
            state = encryption.take_turn(session)
            rows = self._oldest(session, state)
            decisions.encrypt_in_place(session, rows, self._keys)
            return len(rows)

    def _oldest(self, session: Session, state: EncryptionRow) -> list[DecisionRow]:
        newest = encryption.newest_record(session)
        if state.begun_at is None:
            state.begun_at, state.begun_to = self._now(), newest
        rows = encryption.records_in_the_clear(session, state.encrypted_to, state.begun_to, BATCH)
        state.encrypted_to = rows[-1].id if rows else state.begun_to
        if not rows and self._now() >= state.begun_at + OVERLAP:
            rows = encryption.records_in_the_clear(session, state.begun_to - LATE, newest, BATCH)
            state.ended = not rows
        return rows


def rewrite_once(database: Database) -> None:
    """Write the database's files anew, which may hold copies of what stood in the clear: once, at a quiet hour.

    Nobody can write meanwhile: seconds a gigabyte. Raises StorageUnavailable when records stand in the clear yet, and
    when somebody reads for too long or the disk has no room.
    """
    found = read_encryption(database)
    if not found.ended:
        raise StorageUnavailable(
            f"The server still encrypts the records from before the upgrade ({found.left} to go, and an hour after it"
            " began at the earliest). consent doctor says when that has ended; run this then."
        )
    rewrite_files(database)
    with database.transaction() as session:
        encryption.state(session).rewritten = True
