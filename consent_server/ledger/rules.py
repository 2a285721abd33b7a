"""A site's ledger: the Merkle tree of RFC 6962 section 2.1, stored as C2SP tlog-tiles of 256 hashes."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from consent_server.core.errors import InvalidProof
from consent_server.core.hashes import HASH_BYTES

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
EMPTY_ROOT = sha256(b"").digest()

# One proof touches two tiles a level and one subtree a bit of the size; the rest of the room is for the next
# proofs of the same tree, which share all but the lowest with their neighbours.
TILES_KEPT, SUBTREES_KEPT = 64, 256

# Six groups hold every index of a tree of 2^63 leaves.
TILE_PATH = re.compile(r"tile/([0-9]{1,2})/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes; for whole ledgers use `Tree`, which reads a few tiles instead."""
    row = list(hashes)
    while len(row) > 1:
        row = _pairs(row) + row[len(row) & ~1 :]
    return row[0] if row else EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Tile:
    """Where a tile stands; `width` below 256 is a partial tile, a prefix of every wider one."""

    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        groups = f"{self.index:,}".split(",")
        groups[0] = groups[0].zfill(3)
        partial = f".p/{self.width}" if self.width < TILE_WIDTH else ""
        return f"tile/{self.level}/" + "".join(f"x{group}/" for group in groups[:-1]) + groups[-1] + partial


# Answers the bytes of a tile or of any wider version of it.
ReadTile = Callable[[Tile], bytes]


def parse_tile_path(path: str) -> Tile:
    """Read `tile/L/N[.p/W]`; a second spelling of the same tile is refused."""
    match = TILE_PATH.fullmatch(path)
    if match:
        level, groups, width = match.groups()
        tile = Tile(int(level), int(re.sub("[x/]", "", groups)), int(width or TILE_WIDTH))
        if tile.level <= MAX_LEVEL and tile.width > 0 and tile.path == path:
            return tile
    raise InvalidProof("This is not the path of a tile.")


class Tree:
    """A ledger of `size` leaves, read from its tiles: a proof reads at most two tiles a level.

    Keep one for many proofs against the same checkpoint: each tile is then read and hashed once.
    """

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self.size = size
        rows = lru_cache(TILES_KEPT)(lambda tile: _rows(_hashes(tile, read_tile(tile))))
        # Not a method: kept by the tree and keeping the tree, it would hold both until the collector comes by.
        self._range_root = lru_cache(SUBTREES_KEPT)(lambda low, high: _range_root(size, rows, low, high))

    def root(self) -> bytes:
        return self.root_of(self.size)

    def root_of(self, size: int) -> bytes:
        """What the root was when there were so many leaves, of those that are there now."""
        return self._range_root(0, size) if size else EMPTY_ROOT

    def first(self, size: int) -> "Tree":
        """The tree of the first `size` leaves: from the same tiles, each of which is hashed once for both."""
        tree = copy(self)
        tree.size = size
        return tree

    def inclusion_proof(self, index: int) -> list[bytes]:
        """PATH of RFC 6962 section 2.1.1."""
        if not 0 <= index < self.size:
            raise InvalidProof(f"Leaf {index} is outside a tree of {self.size}.")
        return self._beside(index, index + 1)

    def consistency_proof(self, old_size: int) -> list[bytes]:
        """PROOF of RFC 6962 section 2.1.2; empty from size 0, where there is nothing to keep."""
        if not 0 <= old_size <= self.size:
            raise InvalidProof(f"Size {old_size} is outside a tree of {self.size}.")
        if old_size in (0, self.size):
            return []
        # Where the last whole power of two of the old tree begins; at 0 it is the old root, which the
        # verifier has.
        low = old_size & (old_size - 1)
        own = [self._range_root(low, old_size)] if low else []
        return own + self._beside(low, old_size)

    def _beside(self, first: int, end: int) -> list[bytes]:
        """Roots of the subtrees beside the way from the root down to leaves first:end, lowest first."""
        low, high = 0, self.size
        roots: list[bytes] = []
        while (low, high) != (first, end):
            middle = low + (1 << (high - low - 1).bit_length() - 1)
            if end <= middle:
                roots.insert(0, self._range_root(middle, high))
                high = middle
            else:
                roots.insert(0, self._range_root(low, middle))
                low = middle
        return roots


def grow(size: int, leaves: Iterable[bytes], read_tile: ReadTile) -> Iterator[tuple[Tile, bytes]]:
    """Add leaf hashes to a ledger of `size`: yields the tiles to store, full ones first, partial ones last.

    Holds one tile a level. However the leaves are split into batches the tiles are the same, so what a
    crash left stored is only written again: nothing counts before a checkpoint of the new size is signed.
    """
    edge = [_edge_tile(size, level, read_tile) for level in range(size.bit_length() // TILE_HEIGHT + 1)]
    grown = size
    for leaf in leaves:
        grown += 1
        level, carried = 0, leaf
        while len(edge[level]) == TILE_WIDTH - 1:
            full = [*edge[level], carried]
            yield Tile(level, _count(grown, level + 1) - 1, TILE_WIDTH), b"".join(full)
            edge[level], carried = [], root(full)
            level += 1
            edge += [[]] * (level == len(edge))
        edge[level].append(carried)
    for level, hashes in enumerate(edge):
        if hashes and _count(size, level) != _count(grown, level):
            yield Tile(level, _count(grown, level + 1), len(hashes)), b"".join(hashes)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> None:
    """RFC 9162 section 2.1.3.2: InvalidProof unless `leaf`, a leaf hash, stands at `index` of the tree."""
    if not 0 <= index < size:
        raise InvalidProof(f"Leaf {index} is outside a tree of {size}.")
    _require_hashes(leaf, tree_root, *proof)
    if _climb(index, size - 1, leaf, proof)[1] != tree_root:
        raise InvalidProof("The inclusion proof does not lead to the root.")


def verify_consistency(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, tree_root: bytes) -> None:
    """RFC 9162 section 2.1.4.2: InvalidProof unless the tree begins with the whole older tree."""
    if not 0 <= old_size <= size:
        raise InvalidProof(f"A tree of {size} cannot continue one of {old_size}.")
    _require_hashes(old_root, tree_root, *proof)
    if old_size in (0, size):
        if proof or old_root != (tree_root if old_size else EMPTY_ROOT):
            raise InvalidProof("The two roots do not match.")
        return
    # The root of a whole power of two is itself the first hash on the way, and left out of the proof.
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        raise InvalidProof("The consistency proof is empty.")
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    if _climb(node, last, path[0], path[1:]) != (old_root, tree_root):
        raise InvalidProof("The consistency proof does not join the two roots.")


def _climb(node: int, last: int, start: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Roots of the tree that ends at `node` and of the one that ends at `last`, both on the same level."""
    old = new = start
    for sibling in proof:
        if not last:
            raise InvalidProof("The proof is too long.")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise InvalidProof("The proof is too short.")
    return old, new


def _require_hashes(*hashes: bytes) -> None:
    # Two hashes are joined without a mark between them: lengths must not be the sender's choice.
    if any(len(value) != HASH_BYTES for value in hashes):
        raise InvalidProof(f"A hash has {HASH_BYTES} bytes.")


def _range_root(size: int, rows: Callable[[Tile], list[list[bytes]]], low: int, high: int) -> bytes:
    """Root of a subtree of RFC 6962: whole powers of two from the left, joined from the right."""
    parts = []
    while low < high:
        height = (high - low).bit_length() - 1
        level, row = divmod(height, TILE_HEIGHT)
        index, first = divmod(low >> height << row, TILE_WIDTH)
        width = min(TILE_WIDTH, _count(size, level) - index * TILE_WIDTH)
        parts.append(rows(Tile(level, index, width))[row][first >> row])
        low += 1 << height
    joined = parts.pop()
    while parts:
        joined = node_hash(parts.pop(), joined)
    return joined


def _count(size: int, level: int) -> int:
    """How many hashes the tiles of a level hold for a ledger of this size, whole subtrees only."""
    return size >> TILE_HEIGHT * level


def _edge_tile(size: int, level: int, read_tile: ReadTile) -> list[bytes]:
    index, width = divmod(_count(size, level), TILE_WIDTH)
    tile = Tile(level, index, width)
    return _hashes(tile, read_tile(tile)) if width else []


def _hashes(tile: Tile, data: bytes) -> list[bytes]:
    end = tile.width * HASH_BYTES
    if len(data) < end:
        raise InvalidProof(f"The tile {tile.path} is cut short.")
    return [data[start : start + HASH_BYTES] for start in range(0, end, HASH_BYTES)]


def _rows(hashes: list[bytes]) -> list[list[bytes]]:
    rows = [hashes]
    while len(rows[-1]) > 1:
        rows.append(_pairs(rows[-1]))
    return rows


def _pairs(row: list[bytes]) -> list[bytes]:
    return [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=False)]
