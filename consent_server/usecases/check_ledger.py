"""Replay a whole ledger and say what does not fit: what an auditor does with public bytes, done with all of them."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from consent_server.domain.errors import InvalidProof
from consent_server.domain.ledger import Tile, Tree, commitment, grow, leaf_hash
from consent_server.domain.note import Checkpoint, open_checkpoint
from consent_server.domain.receipt import RECEIPT_TYPE
from consent_server.domain.removal import REMOVAL_TYPE
from consent_server.signing import KeyRing, verify_jws
from consent_server.storage import ledger as ledgers
from consent_server.storage import sites
from consent_server.storage.ledger import SealedEntry
from consent_server.storage.session import Database

PAGE = 1000
# Seconds by which a receipt may be older than the checkpoint before the one that covers it: what may pass
# between signing a receipt and sealing it, and between the clocks of two machines.
TOLERANCE = 900


@dataclass(slots=True)
class LedgerReport:
    """What a replay saw. `faults` name the leaf or checkpoint and what is wrong with it."""

    leaves: int = 0
    removed: int = 0
    checkpoints: int = 0
    faults: list[str] = field(default_factory=list)


def check_ledger(
    database: Database,
    ring: KeyRing,
    key: str,
    kept: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> LedgerReport:
    """Recompute every leaf, tile and checkpoint of a site, and compare with checkpoints that somebody kept.

    Holds one tile a level and one page of records, however long the ledger is. Raises UnknownSite.
    """
    report = LedgerReport()
    with database.reading() as session:
        stored = sites.get(session, key)
        origin = ledgers.get(session, stored.id).origin
        keys = ring.note_keys(origin)
        signed = [
            (row.size, _opened(row.note, keys, report), row.sealed_at)
            for row in ledgers.checkpoints(session, stored.id)
        ]
    replay = _Replay(ring, report, stored.site.key)
    previous: datetime | None = None
    for size, checkpoint, sealed_at in signed:
        report.checkpoints += 1
        for first in range(report.leaves, size, PAGE):
            with database.reading() as session:
                replay.take(ledgers.entries(session, stored.id, first, min(size, first + PAGE)), previous, sealed_at)
            progress(report.leaves)
        replay.compare(size, checkpoint)
        previous = sealed_at
    for note in kept:
        replay.compare_kept(_opened(note, keys, report))
    replay.finish()
    with database.reading() as session:
        _stored_tiles(report, replay, ledgers.tile_reader(session, stored.id))
    return report


def _opened(note: str, keys: Any, report: LedgerReport) -> Checkpoint | None:
    try:
        return open_checkpoint(note, keys)
    except InvalidProof as error:
        report.faults.append(f"checkpoint: {error.detail}")
        return None


class _Replay:
    """A ledger made anew from its records."""

    def __init__(self, ring: KeyRing, report: LedgerReport, site: str) -> None:
        self.ring, self.report, self.site = ring, report, site
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.gone: list[int] = []
        self.named: list[tuple[int, int]] = []
        self.ids: set[str] = set()

    def read(self, tile: Tile) -> bytes:
        return self.tiles[tile.level, tile.index]

    def take(self, entries: Sequence[SealedEntry], previous: datetime | None, sealed_at: datetime) -> None:
        hashes = []
        for entry in entries:
            index = self.report.leaves
            if entry.leaf_index != index:
                self.report.faults.append(f"leaf {index}: is missing; {entry.leaf_index} follows")
            self._check(entry, previous, sealed_at)
            hashes.append(leaf_hash(entry.commitment))
            self.report.leaves += 1
        size = self.report.leaves - len(hashes)
        for tile, data in list(grow(size, hashes, self.read)):
            self.tiles[tile.level, tile.index] = data

    def _check(self, entry: SealedEntry, previous: datetime | None, sealed_at: datetime) -> None:
        if entry.token is None or entry.salt is None:
            self.gone.append(entry.leaf_index)
            self.report.removed += 1
            return
        try:
            if commitment(entry.salt, entry.token) != entry.commitment:
                raise InvalidProof("the record is not the one that was sealed")
            removal = entry.kind == "removal"
            claims = verify_jws(entry.token, REMOVAL_TYPE if removal else RECEIPT_TYPE, self.ring)
            self._check_claims(claims, previous, sealed_at)
            if removal:
                self.named += [(first, last) for first, last in claims["leaves"]]
        except InvalidProof as error:
            self.report.faults.append(f"leaf {entry.leaf_index}: {error.detail}")

    def _check_claims(self, claims: dict[str, Any], previous: datetime | None, sealed_at: datetime) -> None:
        if claims["site"] != self.site:
            raise InvalidProof(f"the record is of the site {claims['site']!r}")
        if claims["jti"] in self.ids:
            raise InvalidProof("the record is there twice")
        self.ids.add(claims["jti"])
        made_at = datetime.fromtimestamp(claims["iat"], UTC)
        if (made_at - sealed_at).total_seconds() > TOLERANCE:
            raise InvalidProof("the record is dated after the checkpoint that covers it")
        if previous is not None and (previous - made_at).total_seconds() > TOLERANCE:
            raise InvalidProof("the record is dated long before the checkpoint that came before it: back-dated")

    def compare(self, size: int, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None:
            return
        if self.report.leaves != size or Tree(size, self.read).root() != checkpoint.root:
            self.report.faults.append(f"checkpoint {size}: the records do not lead to its root")

    def compare_kept(self, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None:
            return
        if checkpoint.size > self.report.leaves:
            self.report.faults.append(
                f"kept checkpoint {checkpoint.size}: the ledger now has {self.report.leaves} leaves; it was cut"
            )
        elif Tree(checkpoint.size, self.read).root() != checkpoint.root:
            self.report.faults.append(f"kept checkpoint {checkpoint.size}: the ledger was rewritten since")

    def finish(self) -> None:
        for index in self.gone:
            if not any(first <= index <= last for first, last in self.named):
                self.report.faults.append(f"leaf {index}: the record is gone and no signed removal names it")


def _stored_tiles(report: LedgerReport, replay: _Replay, read: Callable[[Tile], bytes]) -> None:
    for (level, index), data in replay.tiles.items():
        tile = Tile(level, index, len(data) // 32)
        try:
            if read(tile)[: len(data)] != data:
                report.faults.append(f"{tile.path}: the stored tile differs from the records")
        except InvalidProof as error:
            report.faults.append(error.detail)


def kept_checkpoints(texts: Sequence[str]) -> Iterator[str]:
    """Notes from files that hold one note, or one JSON line {"note": …} each."""
    for text in texts:
        if text.lstrip().startswith("{"):
            yield from (json.loads(line)["note"] for line in text.splitlines() if line.strip())
        else:
            yield text
