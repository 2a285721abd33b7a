"""Why a record is not there any more: the signed entries by which records of its moment were removed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from consent_server.core.database import Database
from consent_server.core.errors import InvalidProof
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.ledger import store as ledgers
from consent_server.ledger.rules_removal import REMOVAL_TYPE, RemovedRange

# Between the time that a receipt names and the checkpoint that covers it: a commit, and a clock that was set.
SLACK = timedelta(seconds=10)
UUID_WITH_TIME = 7


@dataclass(frozen=True, slots=True)
class RemovedBy:
    """A removal with its signed entry; `leaf_index` is the entry's own, None until it is sealed.

    `leaves` of the moment that was asked about are among those that it names.
    """

    at: datetime | None
    rule: str
    reason: str
    leaves: int
    leaf_index: int | None
    entry: str


def read_removed(database: Database, ring: KeyRing, site_id: int, receipt_id: UUID) -> list[RemovedBy]:
    """The removals that may have taken the record of this id, whose leaf nobody can name any more, oldest first.

    Ids have the time in them (RFC 9562, 5.7), and so a few leaves that a checkpoint covered next.
    """
    if receipt_id.version != UUID_WITH_TIME:
        return []
    made_at = datetime.fromtimestamp((receipt_id.int >> 80) / 1000, UTC)
    with database.reading() as session:
        first, end = ledgers.sealed_range(session, site_id, made_at - SLACK, made_at + SLACK)
        removed = ledgers.removed_between(session, site_id, first, end)
    by_removal: dict[int, list[RemovedRange]] = {}
    for one in removed:
        by_removal.setdefault(one.removal_id, []).append(one)
    return [_removed_by(ring, ones, first, end) for _, ones in sorted(by_removal.items())]


def _removed_by(ring: KeyRing, removed: list[RemovedRange], first: int, end: int) -> RemovedBy:
    leaves = sum(min(one.last, end - 1) - max(one.first, first) + 1 for one in removed)
    entry, own = removed[0].entry, removed[0].leaf_index
    try:
        claims = verify_jws(entry, REMOVAL_TYPE, ring)
        at = datetime.fromtimestamp(claims["iat"], UTC)
        return RemovedBy(at, str(claims["rule"]), str(claims["reason"]), leaves, own, entry)
    except InvalidProof as error:
        return RemovedBy(None, "unreadable", error.detail, leaves, own, entry)
