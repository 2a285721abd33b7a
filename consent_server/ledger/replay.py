"""Replay one stretch of a ledger: few enough leaves for one page, each checked as the whole replay does."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from consent_server.core.database import LONG, Database
from consent_server.core.errors import InvalidProof
from consent_server.core.keys import KeyRing
from consent_server.core.notes import open_checkpoint
from consent_server.ledger import store as ledgers
from consent_server.ledger.check_leaves import CheckedLeaf, Stretch, Subject
from consent_server.ledger.rules import TILE_WIDTH, Tree, leaf_hash, verify_inclusion
from consent_server.ledger.rules_report import Report

# Eight tiles: about a second of signatures to check.
STRETCH = 8 * TILE_WIDTH


@dataclass(slots=True, kw_only=True)
class Replayed(Report):
    """A stretch: its leaves of those of the newest checkpoint, and the versions that its receipts name."""

    first: int
    end: int
    size: int
    oldest: datetime | None = None
    newest: datetime | None = None
    notices: Counter[str] = field(default_factory=Counter)
    widgets: Counter[str] = field(default_factory=Counter)

    @property
    def last(self) -> int | None:
        """The last leaf of the stretch, or none where it holds no leaf."""
        return self.end - 1 if self.end > self.first else None

    @property
    def earlier(self) -> int | None:
        """Where the stretch before this one begins."""
        return max(self.first - STRETCH, 0) if self.first else None

    @property
    def later(self) -> int | None:
        """Where the next stretch begins."""
        return self.end if self.first < self.end < self.size else None

    def to_json(self) -> dict[str, Any]:
        """What a page adds up that replays stretch after stretch."""
        return {
            "end": self.end,
            "size": self.size,
            "removed": self.counts["removed"],
            "faults": [str(fault) for fault in self.faults],
        }

    def take(self, leaf: CheckedLeaf) -> None:
        """Count a leaf."""
        if leaf.fault:
            self.add(leaf.place, False, leaf.fault)
        elif leaf.claims is None:
            self.counts["removed"] += 1
        if leaf.claims is None:
            return
        at = datetime.fromtimestamp(leaf.claims["iat"], UTC)
        self.oldest = min(self.oldest or at, at)
        self.newest = max(self.newest or at, at)
        if leaf.kind == "decision":
            self.notices[leaf.claims["notice"]] += 1
            self.widgets[leaf.claims["widget"]] += 1


def replay_leaves(database: Database, ring: KeyRing, site_id: int, site: str, first: int) -> Replayed:
    """Check the leaves from `first` on, up to STRETCH of them, against the newest checkpoint."""
    with database.snapshot(LONG) as session:
        newest = ledgers.newest_checkpoint(session, site_id)
        size = newest.size if newest else 0
        replayed = Replayed(first=first, end=max(first, min(size, first + STRETCH)), size=size)
        if newest is None or first >= size:
            return replayed
        subject = Subject.of(session, ring, site_id, site)
        try:
            checkpoint = open_checkpoint(newest.note, ring.note_keys(subject.origin, newest.sealed_at))
        except InvalidProof as error:
            replayed.add(f"checkpoint {size}", False, error.detail)
            return replayed
        tree = Tree(size, ledgers.tile_reader(session, site_id))
        for leaf in Stretch(session, subject, first, replayed.end):
            replayed.take(leaf)
            if leaf.commitment is None:
                continue
            try:
                proof = tree.inclusion_proof(leaf.index)
                verify_inclusion(leaf_hash(leaf.commitment), leaf.index, size, proof, checkpoint.root)
            except InvalidProof as error:
                replayed.add(leaf.place, False, error.detail)
    return replayed
