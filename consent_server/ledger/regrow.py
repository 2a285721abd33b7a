"""Make a ledger anew from its leaf hashes, and compare it with its tiles, its checkpoints and what others kept."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from consent_server.core.canonical import decode_strict
from consent_server.core.errors import InvalidProof
from consent_server.core.hashes import HASH_BYTES
from consent_server.core.keys import KeyRing
from consent_server.core.notes import Checkpoint, NoteKey, Verify, open_checkpoint
from consent_server.ledger.rules import EMPTY_ROOT, TILE_WIDTH, ReadTile, Tile, Tree, grow
from consent_server.ledger.rules_remark import Remarks
from consent_server.ledger.rules_report import Report

# The keys of a ledger, those in use at a time or all.
KeysAt = Callable[[datetime | None], Mapping[NoteKey, Verify]]


def keys_under(ring: KeyRing, origins: Collection[str]) -> KeysAt:
    """The keys that may have signed a ledger's checkpoints, under each of its names."""
    return lambda at: {key: verify for origin in origins for key, verify in ring.note_keys(origin, at).items()}


class SealedNote(Protocol):
    """A checkpoint as signed, and when."""

    @property
    def note(self) -> str: ...
    @property
    def sealed_at(self) -> datetime: ...


class RegrownLedger:
    """Grows leaf by leaf. Holds the unfinished tile of each level and what was kept, however long the ledger is."""

    def __init__(self, report: Report, keys: KeysAt, kept: Iterable[str], remarks: Remarks) -> None:
        self._report, self._keys, self._remarks = report, keys, remarks
        # With these alone the tree grows, and has a root at any size.
        self._edge: dict[int, bytes] = {}
        self._sealed_at: datetime | None = None
        self._good = self._broken = 0
        self.kept: dict[int, set[bytes]] = {}
        for note in kept:
            checkpoint = self.opened("a kept checkpoint", note, kept=True)
            if checkpoint and not self._is_lost(checkpoint):
                self.kept.setdefault(checkpoint.size, set()).add(checkpoint.root)
        self._kept_sizes = sorted(self.kept)
        self._compare_kept(0, EMPTY_ROOT, stored=True)

    def opened(self, name: str, note: str, sealed_at: datetime | None = None, kept: bool = False) -> Checkpoint | None:
        """A checkpoint that the ledger signed by a key in use then; what is none is a fault under this name."""
        try:
            checkpoint = open_checkpoint(note, self._keys(sealed_at))
        except InvalidProof as error:
            self._report.fail(name, error.detail)
            return None
        if not kept and checkpoint.origin != self._remarks.origin_at(checkpoint.size):
            self._report.fail(name, f"it is of {checkpoint.origin}, which had another end")
            return None
        return checkpoint

    def _is_lost(self, kept: Checkpoint) -> bool:
        """Whether it is about what a restore lost, as a signed entry says. What that does not admit is a fault."""
        gap = self._remarks.gap_of(kept.origin)
        if gap is None or kept.size <= gap.restored:
            return False
        name = f"kept checkpoint {kept.size}"
        if kept.size > gap.size:
            self._report.fail(name, f"the entry about the restore says that {gap.size} leaves were signed: it was cut")
        elif kept.size == gap.size and kept.root.hex() != gap.root:
            self._report.fail(name, "the entry about the restore names another root: the ledger was forked")
        else:
            self._report.counts["kept checkpoints of leaves that a restore lost, says a signed entry"] += 1
        return True

    def add(
        self, first: int, hashes: Sequence[bytes], checkpoints: Mapping[int, SealedNote], read_stored: ReadTile
    ) -> None:
        """Take the leaf hashes from `first` on, with the checkpoints over them by size, and the tiles as stored."""
        end = first + len(hashes)
        kept = self._kept_sizes[bisect_right(self._kept_sizes, first) : bisect_left(self._kept_sizes, end)]
        for low, high in pairwise(sorted({first, end, *checkpoints, *kept})):
            for tile, data in list(grow(low, hashes[low - first : high - first], self._read)):
                self._edge[tile.level] = data
                if tile.width == TILE_WIDTH:
                    self._compare_tile(tile, data, read_stored)
            self._compare(high, checkpoints.get(high))

    def root(self, size: int) -> bytes:
        """The root of all that was added, whose `size` the caller knows."""
        return Tree(size, self._read).root()

    def finish(self, size: int, signed: int, read_stored: ReadTile) -> None:
        """Compare what is left: the unfinished tiles, and kept checkpoints of more leaves than were `signed`."""
        for level, data in self._edge.items():
            index, width = divmod(size >> 8 * level, TILE_WIDTH)
            if width:
                self._compare_tile(Tile(level, index, width), data, read_stored)
        for missing in sorted(self.kept):
            self._report.fail(f"kept checkpoint {missing}", f"the ledger now has {signed} signed leaves; it was cut")
        if self._broken > 1:
            self._report.fail("checkpoints after it", f"{self._broken - 1} more do not hold either")

    def _read(self, tile: Tile) -> bytes:
        return self._edge[tile.level]

    def _compare(self, size: int, sealed: SealedNote | None) -> None:
        if sealed is None and size not in self.kept:
            return
        root = self.root(size)
        self._compare_kept(size, root, stored=sealed is not None)
        if sealed is None:
            return
        self._report.counts["checkpoints"] += 1
        sealed_at = None if self._remarks.clock_was_wrong(size - 1) else sealed.sealed_at
        if sealed_at is not None:
            if self._sealed_at is not None and sealed_at < self._sealed_at:
                self._report.fail(f"checkpoint {size}", "it is dated before the one that came before it")
            self._sealed_at = sealed_at
        checkpoint = self.opened(f"checkpoint {size}", sealed.note, sealed_at)
        if checkpoint is None:
            return
        if (checkpoint.size, checkpoint.root) == (size, root):
            self._good = size
            return
        # One wrong leaf is in every later root: the first says where, the others add nothing.
        if not self._broken:
            self._report.fail(f"checkpoint {size}", f"leaves {self._good} to {size - 1} do not lead to its root")
        self._broken += 1

    def _compare_kept(self, size: int, root: bytes, stored: bool) -> None:
        for kept in self.kept.pop(size, set()):
            if kept != root:
                self._report.fail(f"kept checkpoint {size}", "the ledger was rewritten since")
            elif not stored:
                self._report.fail(f"kept checkpoint {size}", "it is no longer among the ledger's: it was cut out")

    def _compare_tile(self, tile: Tile, data: bytes, read_stored: ReadTile) -> None:
        try:
            stored = read_stored(tile)[: len(data)]
        except InvalidProof as error:
            self._report.fail("", error.detail)
            return
        if stored == data:
            return
        starts = range(0, len(data), HASH_BYTES)
        place = next(at for at in starts if stored[at : at + HASH_BYTES] != data[at : at + HASH_BYTES]) // HASH_BYTES
        index = tile.index * TILE_WIDTH + place
        where = f"leaf {index}" if tile.level == 0 else tile.path
        self._report.fail(where, f"the stored {tile.path} differs from the leaves from entry {place} on")


def kept_checkpoints(files: Iterable[tuple[str, str]]) -> list[str]:
    """Notes from files (name and text) that hold one note, or one JSON line {"note": …} each.

    Raises InvalidProof, naming the line of a file that is neither.
    """
    notes = []
    for name, text in files:
        if not text.lstrip().startswith("{"):
            notes.append(text)
            continue
        numbered = enumerate(text.splitlines(), 1)
        notes += [_note_of(f"{name} line {number}", line) for number, line in numbered if line.strip()]
    return notes


def _note_of(place: str, line: str) -> str:
    try:
        kept = decode_strict(line.encode("utf-8", "replace"))
    except InvalidProof as error:
        raise InvalidProof(f"{place}: {error.detail}") from error
    if not isinstance(kept, dict) or not isinstance(kept.get("note"), str):
        raise InvalidProof(f'{place}: this is not a kept checkpoint, which has the form {{"note": "…"}}.')
    return str(kept["note"])
