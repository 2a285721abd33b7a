"""Replay one stretch of a ledger: few enough leaves for one page, each checked as the whole replay does."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from consent_server.domain.errors import InvalidProof
from consent_server.domain.ledger import TILE_WIDTH, Tree, commitment, leaf_hash, verify_inclusion
from consent_server.domain.note import open_checkpoint
from consent_server.domain.receipt import RECEIPT_TYPE
from consent_server.domain.removal import REMOVAL_TYPE
from consent_server.signing import KeyRing, verify_jws
from consent_server.storage import ledger as ledgers
from consent_server.storage import search
from consent_server.storage.ledger import SealedEntry
from consent_server.storage.rows import CheckpointRow
from consent_server.storage.session import Database
from consent_server.usecases.check_ledger import TOLERANCE

# Eight tiles: about a second of signatures to check.
STRETCH = 8 * TILE_WIDTH


@dataclass(slots=True)
class Replayed:
    """What a stretch holds. `faults` name the leaf; `notices` and `widgets` count the versions in receipts."""

    first: int
    end: int
    size: int
    removed: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    faults: list[str] = field(default_factory=list)
    notices: Counter[str] = field(default_factory=Counter)
    widgets: Counter[str] = field(default_factory=Counter)


def replay_leaves(database: Database, ring: KeyRing, site_id: int, site: str, first: int) -> Replayed:
    """Check the leaves from `first` on, up to STRETCH of them, against the newest checkpoint."""
    with database.reading() as session:
        newest = ledgers.newest_checkpoint(session, site_id)
        size = newest.size if newest else 0
        replayed = Replayed(first, max(first, min(size, first + STRETCH)), size)
        if newest is None or first >= size:
            return replayed
        try:
            checkpoint = open_checkpoint(newest.note, ring.note_keys(ledgers.get(session, site_id).origin))
        except InvalidProof as error:
            replayed.faults.append(f"checkpoint {size}: {error.detail}")
            return replayed
        tree = Tree(size, ledgers.tile_reader(session, site_id))
        stretch = _Stretch(session, ring, site_id, site, replayed)
        found = {entry.leaf_index: entry for entry in ledgers.entries(session, site_id, first, replayed.end)}
        for index in range(first, replayed.end):
            try:
                if index not in found:
                    raise InvalidProof("is missing")
                proof = tree.inclusion_proof(index)
                verify_inclusion(leaf_hash(found[index].commitment), index, size, proof, checkpoint.root)
                stretch.check(found[index])
            except InvalidProof as error:
                replayed.faults.append(f"leaf {index}: {error.detail}")
    return replayed


class _Stretch:
    """The checks that look at a record itself."""

    def __init__(self, session: Session, ring: KeyRing, site_id: int, site: str, replayed: Replayed) -> None:
        self._ring, self._site, self._replayed = ring, site, replayed
        first, end = replayed.first, replayed.end
        self._named = self._removals(search.removals_between(session, site_id, first, end))
        self._before: CheckpointRow | None = search.checkpoint_upto(session, site_id, first)
        self._checkpoints = search.checkpoints_between(session, site_id, first, end)
        self._sizes = [row.size for row in self._checkpoints]

    def check(self, entry: SealedEntry) -> None:
        """Raises InvalidProof."""
        if entry.token is None or entry.salt is None:
            self._replayed.removed += 1
            if not any(low <= entry.leaf_index <= high for low, high in self._named):
                raise InvalidProof("the record is gone and no signed removal names it")
            return
        if commitment(entry.salt, entry.token) != entry.commitment:
            raise InvalidProof("the record is not the one that was sealed")
        claims = verify_jws(entry.token, REMOVAL_TYPE if entry.kind == "removal" else RECEIPT_TYPE, self._ring)
        if claims["site"] != self._site:
            raise InvalidProof("the record is of another site")
        if entry.kind != "removal":
            self._replayed.notices[claims["notice"]] += 1
            self._replayed.widgets[claims["widget"]] += 1
        self._in_time(entry.leaf_index, datetime.fromtimestamp(claims["iat"], UTC))

    def _in_time(self, index: int, at: datetime) -> None:
        replayed = self._replayed
        replayed.oldest = min(replayed.oldest or at, at)
        replayed.newest = max(replayed.newest or at, at)
        place = bisect_right(self._sizes, index)
        before = self._checkpoints[place - 1] if place else self._before
        if place < len(self._sizes) and (at - self._checkpoints[place].sealed_at).total_seconds() > TOLERANCE:
            raise InvalidProof("the record is dated after the checkpoint that covers it")
        if before is not None and (before.sealed_at - at).total_seconds() > TOLERANCE:
            raise InvalidProof("the record is dated long before the checkpoint that came before it: back-dated")

    def _removals(self, entries: Sequence[str]) -> list[tuple[int, int]]:
        named: list[tuple[int, int]] = []
        for entry in entries:
            try:
                named += [(low, high) for low, high in verify_jws(entry, REMOVAL_TYPE, self._ring)["leaves"]]
            except InvalidProof as error:
                self._replayed.faults.append(f"removal: {error.detail}")
        return named
