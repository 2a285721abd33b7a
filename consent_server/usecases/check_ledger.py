"""Replay a whole ledger and say what does not fit: what an auditor does with public bytes, done with all of them."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from sqlalchemy.orm import Session

from consent_server.domain.errors import InvalidProof
from consent_server.domain.ledger import EMPTY_ROOT, HASH_BYTES, TILE_WIDTH, Tile, Tree, grow, leaf_hash
from consent_server.domain.note import Checkpoint, open_checkpoint
from consent_server.signing import KeyRing
from consent_server.storage import ledger as ledgers
from consent_server.storage import sites
from consent_server.storage.rows import CheckpointRow
from consent_server.storage.session import Database
from consent_server.usecases.check_leaves import Stretch, Subject

# Leaves read at once: whole tiles, so that each is complete in one page.
PAGE = 4 * TILE_WIDTH
# Faults that are told one by one. Of a ledger that is wrong throughout nobody reads more.
TOLD = 1000
NO_LEAF = bytes(HASH_BYTES)


@dataclass(slots=True)
class LedgerReport:
    """What a replay saw. `faults` name the leaf or checkpoint and what is wrong with it; `untold` counts more."""

    leaves: int = 0
    removed: int = 0
    checkpoints: int = 0
    faults: list[str] = field(default_factory=list)
    untold: int = 0

    def fail(self, fault: str) -> None:
        """Take note of a fault."""
        if len(self.faults) < TOLD:
            self.faults.append(fault)
        else:
            self.untold += 1


def check_ledger(
    database: Database,
    ring: KeyRing,
    key: str,
    kept: Iterable[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> LedgerReport:
    """Recompute every leaf, tile and checkpoint of a site, and compare with checkpoints that somebody kept.

    Holds the unfinished tile of each level and one page of records, however long the ledger is. What is
    sealed meanwhile is for the next run. Raises UnknownSite.
    """
    report = LedgerReport()
    with database.snapshot() as session:
        stored = sites.get(session, key)
        replay = _Replay(Subject.of(session, ring, stored.id, stored.site.key), report, kept)
        size = replay.begin(session)
    for first in range(0, size, PAGE):
        with database.snapshot() as session:
            replay.page(session, first, min(size, first + PAGE))
        progress(report.leaves)
    with database.snapshot() as session:
        replay.finish(session, size)
    return report


class _Replay:
    """A ledger made anew from its records."""

    def __init__(self, subject: Subject, report: LedgerReport, kept: Iterable[str]) -> None:
        self.subject, self.report = subject, report
        self.keys = subject.ring.note_keys(subject.origin)
        # The unfinished tile of each level: with these alone the tree grows, and has a root at any size.
        self.edge: dict[int, bytes] = {}
        self.latest = 0
        self.sealed_at: datetime | None = None
        self.signed = self.good = self.broken = 0
        self.kept: dict[int, set[bytes]] = {}
        for note in kept:
            if checkpoint := self.opened("a kept checkpoint", note):
                self.kept.setdefault(checkpoint.size, set()).add(checkpoint.root)
        self.kept_sizes = sorted(self.kept)

    def opened(self, name: str, note: str) -> Checkpoint | None:
        try:
            return open_checkpoint(note, self.keys)
        except InvalidProof as error:
            self.report.fail(f"{name}: {error.detail}")
            return None

    def begin(self, session: Session) -> int:
        """How many leaves there are to check: those of the newest signed checkpoint, and any beyond it."""
        site_id = self.subject.site_id
        newest = ledgers.newest_checkpoint(session, site_id)
        while newest is not None:
            checkpoint = self.opened(f"checkpoint {newest.size}", newest.note)
            if checkpoint is not None and checkpoint.size == newest.size:
                break
            newest = ledgers.newest_checkpoint(session, site_id, newest.size)
        signed = self.signed = newest.size if newest else 0
        if beyond := ledgers.leaves_from(session, site_id, signed):
            self.report.fail(f"leaf {signed}: it and all {beyond} from there on are in no signed checkpoint")
        for receipt_id in ledgers.passed_over(session, site_id, TOLD):
            self.report.fail(f"receipt {receipt_id}: the record has no leaf: it was put in, or its leaf was taken away")
        self.compare_kept(0, EMPTY_ROOT, stored=True)
        # By how many there are, not by their numbers: these may be anything.
        return max(signed, ledgers.leaves_from(session, site_id, 0))

    def page(self, session: Session, first: int, end: int) -> None:
        stretch = Stretch(session, self.subject, first, end, self.latest)
        hashes = []
        for leaf in stretch:
            hashes.append(NO_LEAF if leaf.commitment is None else leaf_hash(leaf.commitment))
            self.report.leaves += 1
            if leaf.fault:
                self.report.fail(leaf.fault)
            elif leaf.claims is None:
                self.report.removed += 1
        self.latest = stretch.latest
        checkpoints = {row.size: row for row in stretch.checkpoints if row.size <= end}
        kept = self.kept_sizes[bisect_right(self.kept_sizes, first) : bisect_left(self.kept_sizes, end)]
        stops = {first, end, *checkpoints, *kept}
        read_stored = ledgers.tile_reader(session, self.subject.site_id)
        for low, high in pairwise(sorted(stops)):
            for tile, data in list(grow(low, hashes[low - first : high - first], self.read)):
                self.edge[tile.level] = data
                if tile.width == TILE_WIDTH:
                    self.compare_tile(tile, data, read_stored)
            self.compare(high, checkpoints.get(high))

    def read(self, tile: Tile) -> bytes:
        return self.edge[tile.level]

    def compare(self, size: int, row: CheckpointRow | None) -> None:
        if row is None and size not in self.kept:
            return
        root = Tree(size, self.read).root()
        self.compare_kept(size, root, stored=row is not None)
        if row is None:
            return
        self.report.checkpoints += 1
        if self.sealed_at is not None and row.sealed_at < self.sealed_at:
            self.report.fail(f"checkpoint {size}: it is dated before the one that came before it")
        self.sealed_at = row.sealed_at
        checkpoint = self.opened(f"checkpoint {size}", row.note)
        if checkpoint is None:
            return
        if (checkpoint.size, checkpoint.root) == (size, root):
            self.good = size
            return
        # One wrong leaf is in every later root: the first says where, the others add nothing.
        if not self.broken:
            self.report.fail(f"checkpoint {size}: leaves {self.good} to {size - 1} do not lead to its root")
        self.broken += 1

    def compare_kept(self, size: int, root: bytes, stored: bool) -> None:
        for kept in self.kept.pop(size, set()):
            if kept != root:
                self.report.fail(f"kept checkpoint {size}: the ledger was rewritten since")
            elif not stored:
                self.report.fail(f"kept checkpoint {size}: it is no longer among the ledger's: it was cut out")

    def compare_tile(self, tile: Tile, data: bytes, read_stored: Callable[[Tile], bytes]) -> None:
        try:
            stored = read_stored(tile)[: len(data)]
        except InvalidProof as error:
            self.report.fail(error.detail)
            return
        if stored == data:
            return
        starts = range(0, len(data), HASH_BYTES)
        place = next(at for at in starts if stored[at : at + HASH_BYTES] != data[at : at + HASH_BYTES]) // HASH_BYTES
        index = tile.index * TILE_WIDTH + place
        where = f"leaf {index}" if tile.level == 0 else tile.path
        self.report.fail(f"{where}: the stored {tile.path} differs from the leaves from entry {place} on")

    def finish(self, session: Session, size: int) -> None:
        read_stored = ledgers.tile_reader(session, self.subject.site_id)
        for level, data in self.edge.items():
            index, width = divmod(size >> 8 * level, TILE_WIDTH)
            if width:
                self.compare_tile(Tile(level, index, width), data, read_stored)
        for missing in sorted(self.kept):
            self.report.fail(f"kept checkpoint {missing}: the ledger now has {self.signed} signed leaves; it was cut")
        if self.broken > 1:
            self.report.fail(f"checkpoints after it: {self.broken - 1} more do not hold either")


def kept_checkpoints(texts: Sequence[str]) -> Iterator[str]:
    """Notes from files that hold one note, or one JSON line {"note": …} each."""
    for text in texts:
        if text.lstrip().startswith("{"):
            yield from (json.loads(line)["note"] for line in text.splitlines() if line.strip())
        else:
            yield text
