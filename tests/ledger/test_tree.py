"""Every proof verifies, every altered one fails, and tiles are the same however the ledger grew."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.core.errors import InvalidProof
from consent_server.core.hashes import HASH_BYTES
from consent_server.decisions.rules_contents import SALT_BYTES, commitment
from consent_server.ledger.rules import (
    EMPTY_ROOT,
    TILE_WIDTH,
    Tile,
    Tree,
    grow,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

VECTORS = json.loads((Path(__file__).parents[1] / "data/test-vectors.json").read_text())["rfc6962"]
LARGEST = 300
LEAVES = [leaf_hash(number.to_bytes(4)) for number in range(LARGEST)]


class Shelf:
    """Stored tiles, the widest of each place, as a database would keep them; counts what is read."""

    def __init__(self) -> None:
        self.size = 0
        self.stored: dict[tuple[int, int], bytes] = {}
        self.read: list[Tile] = []

    def __call__(self, tile: Tile) -> bytes:
        self.read.append(tile)
        return self.stored[tile.level, tile.index]

    def grow(self, leaves: Sequence[bytes]) -> None:
        for tile, data in grow(self.size, iter(leaves), self):
            assert len(data) == tile.width * HASH_BYTES
            # A tile only ever gets longer: what was served before stays true.
            assert data.startswith(self.stored.get((tile.level, tile.index), b""))
            self.stored[tile.level, tile.index] = data
        self.size += len(leaves)


def filled(leaves: Sequence[bytes]) -> Shelf:
    shelf = Shelf()
    shelf.grow(leaves)
    return shelf


SHELF = filled(LEAVES)


@cache
def tree(size: int) -> Tree:
    return Tree(size, SHELF)


@cache
def tree_hash(low: int, high: int) -> bytes:
    """MTH of RFC 6962, written as the RFC defines it."""
    if high - low == 1:
        return LEAVES[low]
    middle = low + split(high - low)
    return node_hash(tree_hash(low, middle), tree_hash(middle, high))


def split(size: int) -> int:
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def path(index: int, low: int, high: int) -> list[bytes]:
    """PATH of RFC 6962, written as the RFC defines it."""
    if high - low == 1:
        return []
    middle = low + split(high - low)
    if index < middle:
        return [*path(index, low, middle), tree_hash(middle, high)]
    return [*path(index, middle, high), tree_hash(low, middle)]


def subproof(old: int, low: int, high: int, whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962, written as the RFC defines it."""
    if old == high:
        return [] if whole else [tree_hash(low, high)]
    middle = low + split(high - low)
    if old <= middle:
        return [*subproof(old, low, middle, whole), tree_hash(middle, high)]
    return [*subproof(old, middle, high, False), tree_hash(low, middle)]


def flipped(data: bytes) -> Iterator[bytes]:
    for bit in range(len(data) * 8):
        yield flip(data, bit)


def flip(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))


def holds(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except InvalidProof:
        return False
    return True


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> bool:
    return holds(lambda: verify_inclusion(leaf, index, size, proof, tree_root))


def continues(old: int, size: int, proof: Sequence[bytes], old_root: bytes, tree_root: bytes) -> bool:
    return holds(lambda: verify_consistency(old, size, proof, old_root, tree_root))


def unhex(values: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


VECTOR_LEAVES = [leaf_hash(bytes.fromhex(data)) for data in VECTORS["leaves_hex"]]
VECTOR_ROOTS = {int(size): bytes.fromhex(value) for size, value in VECTORS["roots_by_size"].items()}
VECTOR_SHELF = filled(VECTOR_LEAVES)


class TestVectors:
    def test_roots(self) -> None:
        for size, expected in VECTOR_ROOTS.items():
            assert root(VECTOR_LEAVES[:size]) == Tree(size, VECTOR_SHELF).root() == expected

    def test_inclusion(self) -> None:
        assert len(VECTORS["inclusion"]) == 36
        for vector in VECTORS["inclusion"]:
            index, size, proof = vector["leaf_index"], vector["tree_size"], unhex(vector["proof"])
            assert Tree(size, VECTOR_SHELF).inclusion_proof(index) == proof
            verify_inclusion(VECTOR_LEAVES[index], index, size, proof, VECTOR_ROOTS[size])

    def test_consistency(self) -> None:
        assert len(VECTORS["consistency"]) == 36
        for vector in VECTORS["consistency"]:
            old, size, proof = vector["size1"], vector["size2"], unhex(vector["proof"])
            assert Tree(size, VECTOR_SHELF).consistency_proof(old) == proof
            verify_consistency(old, size, proof, VECTOR_ROOTS[old], VECTOR_ROOTS[size])


class TestInclusion:
    def test_every_proof_of_every_size(self) -> None:
        for size in range(1, LARGEST + 1):
            tree_root = tree(size).root()
            assert tree_root == tree_hash(0, size)
            for index in range(size):
                verify_inclusion(LEAVES[index], index, size, tree(size).inclusion_proof(index), tree_root)

    @given(st.data())
    def test_is_the_path_of_the_rfc(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, LARGEST))
        index = data.draw(st.integers(0, size - 1))
        assert tree(size).inclusion_proof(index) == path(index, 0, size)

    @pytest.mark.parametrize("size", range(1, 9))
    def test_every_flipped_bit_fails(self, size: int) -> None:
        tree_root = tree(size).root()
        for index in range(size):
            proof = tree(size).inclusion_proof(index)
            assert not any(includes(leaf, index, size, proof, tree_root) for leaf in flipped(LEAVES[index]))
            assert not any(includes(LEAVES[index], index, size, proof, other) for other in flipped(tree_root))
            for place, step in enumerate(proof):
                for other in flipped(step):
                    altered = [*proof[:place], other, *proof[place + 1 :]]
                    assert not includes(LEAVES[index], index, size, altered, tree_root)

    @given(st.data())
    def test_a_flipped_bit_of_a_larger_tree_fails(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(9, LARGEST))
        index = data.draw(st.integers(0, size - 1))
        parts = [LEAVES[index], tree(size).root(), *tree(size).inclusion_proof(index)]
        place = data.draw(st.integers(0, len(parts) - 1))
        parts[place] = flip(parts[place], data.draw(st.integers(0, HASH_BYTES * 8 - 1)))
        assert not includes(parts[0], index, size, parts[2:], parts[1])

    def test_every_other_index_fails(self) -> None:
        for size in range(1, 34):
            for index in range(size):
                proof = tree(size).inclusion_proof(index)
                fits = [
                    other for other in range(size) if includes(LEAVES[index], other, size, proof, tree(size).root())
                ]
                assert fits == [index]

    def test_another_form_fails(self) -> None:
        proof, tree_root = tree(7).inclusion_proof(3), tree(7).root()
        for other in (proof[:-1], [*proof, tree_root], proof[::-1], [], [b"", *proof[1:]]):
            assert not includes(LEAVES[3], 3, 7, other, tree_root)
        assert not includes(LEAVES[3], -1, 7, proof, tree_root)
        assert not includes(LEAVES[3], 7, 7, proof, tree_root)
        assert not includes(LEAVES[0], 0, 0, [], EMPTY_ROOT)

    def test_hashes_cannot_borrow_bytes_from_their_neighbours(self) -> None:
        first, *rest = tree(7).inclusion_proof(0)
        assert not includes(LEAVES[0] + first[:1], 0, 7, [first[1:], *rest], tree(7).root())

    def test_a_step_above_the_root_fails(self) -> None:
        above = node_hash(LEAVES[1], LEAVES[0])
        assert not includes(LEAVES[0], 0, 1, [LEAVES[1]], above)

    @pytest.mark.parametrize("index", [-1, 7, 8])
    def test_no_proof_outside_the_tree(self, index: int) -> None:
        with pytest.raises(InvalidProof, match="outside"):
            tree(7).inclusion_proof(index)


class TestConsistency:
    def test_any_two_sizes(self) -> None:
        roots = [tree(size).root() for size in range(LARGEST + 1)]
        for size in range(LARGEST + 1):
            for old in range(size + 1):
                verify_consistency(old, size, tree(size).consistency_proof(old), roots[old], roots[size])

    @given(st.data())
    def test_is_the_proof_of_the_rfc(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, LARGEST))
        old = data.draw(st.integers(1, size))
        assert tree(size).consistency_proof(old) == subproof(old, 0, size)

    @pytest.mark.parametrize("size", range(2, 9))
    def test_every_flipped_bit_fails(self, size: int) -> None:
        tree_root = tree(size).root()
        for old in range(1, size):
            old_root, proof = tree(old).root(), tree(size).consistency_proof(old)
            assert not any(continues(old, size, proof, other, tree_root) for other in flipped(old_root))
            assert not any(continues(old, size, proof, old_root, other) for other in flipped(tree_root))
            for place, step in enumerate(proof):
                for other in flipped(step):
                    altered = [*proof[:place], other, *proof[place + 1 :]]
                    assert not continues(old, size, altered, old_root, tree_root)

    @given(st.data())
    def test_a_rewritten_leaf_fails(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(2, LARGEST))
        old = data.draw(st.integers(1, size - 1))
        leaves = LEAVES[:size]
        place = data.draw(st.integers(0, old - 1))
        leaves[place] = flip(leaves[place], data.draw(st.integers(0, HASH_BYTES * 8 - 1)))
        forged = Tree(size, filled(leaves))
        assert not continues(old, size, forged.consistency_proof(old), tree(old).root(), forged.root())

    def test_another_form_fails(self) -> None:
        old_root, tree_root, proof = tree(3).root(), tree(7).root(), tree(7).consistency_proof(3)
        for other in (proof[:-1], [*proof, tree_root], proof[::-1], [], [b"", *proof[1:]]):
            assert not continues(3, 7, other, old_root, tree_root)
        assert not continues(4, 7, [], tree(4).root(), tree_root)
        assert not continues(7, 3, proof, tree_root, old_root)
        assert not continues(-1, 7, proof, old_root, tree_root)

    def test_hashes_cannot_borrow_bytes_from_their_neighbours(self) -> None:
        (step,) = tree(7).consistency_proof(4)
        assert not continues(4, 7, [step[1:]], tree(4).root() + step[:1], tree(7).root())

    def test_equal_and_empty_trees(self) -> None:
        assert continues(7, 7, [], tree(7).root(), tree(7).root())
        assert not continues(7, 7, [], tree(7).root(), tree(6).root())
        assert not continues(7, 7, [tree(7).root()], tree(7).root(), tree(7).root())
        assert continues(0, 7, [], EMPTY_ROOT, tree(7).root())
        assert not continues(0, 7, [], tree(1).root(), tree(7).root())
        assert not continues(0, 7, [tree(7).root()], EMPTY_ROOT, tree(7).root())

    @pytest.mark.parametrize("old", [-1, 8])
    def test_no_proof_outside_the_tree(self, old: int) -> None:
        with pytest.raises(InvalidProof, match="outside"):
            tree(7).consistency_proof(old)


class TestCommitment:
    salt = bytes(range(SALT_BYTES))

    def test_is_salt_then_receipt(self) -> None:
        assert commitment(self.salt, "a.b.c") == sha256(self.salt + b"a.b.c").digest()

    def test_every_flipped_bit_of_salt_or_receipt_fails(self) -> None:
        data = commitment(self.salt, "a.b.c")
        leaves = [leaf_hash(data), *LEAVES[:6]]
        proof = Tree(7, filled(leaves)).inclusion_proof(0)
        assert includes(leaf_hash(data), 0, 7, proof, root(leaves))
        for salt in flipped(self.salt):
            assert not includes(leaf_hash(commitment(salt, "a.b.c")), 0, 7, proof, root(leaves))
        for receipt in flipped(b"a.b.c"):
            if receipt.isascii():
                other = commitment(self.salt, receipt.decode())
                assert not includes(leaf_hash(other), 0, 7, proof, root(leaves))

    @pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
    def test_salt_has_its_length(self, salt: bytes) -> None:
        with pytest.raises(InvalidProof, match="salt"):
            commitment(salt, "a.b.c")

    @pytest.mark.parametrize("receipt", ["é.b.c", "\ud800"])
    def test_receipt_is_ascii(self, receipt: str) -> None:
        with pytest.raises(InvalidProof, match="ASCII"):
            commitment(self.salt, receipt)


class TestGrow:
    @given(st.lists(st.integers(0, LARGEST), max_size=12))
    def test_batches_do_not_matter(self, cuts: list[int]) -> None:
        shelf = Shelf()
        for start, end in pairwise([0, *sorted(cuts), LARGEST]):
            shelf.grow(LEAVES[start:end])
        assert shelf.stored == SHELF.stored

    def test_three_levels(self) -> None:
        """The example of the tlog-tiles specification, grown in batches that end around a full level."""
        leaves = [leaf_hash(number.to_bytes(4)) for number in range(70_000)]
        shelf = Shelf()
        for start, end in pairwise([0, 255, 256, 257, 65_535, 65_536, 65_537, 70_000]):
            shelf.grow(leaves[start:end])
        widths = [len(data) // HASH_BYTES for _, data in sorted(shelf.stored.items())]
        assert widths == [TILE_WIDTH] * 273 + [112] + [TILE_WIDTH, 17] + [1]
        assert shelf.stored == filled(leaves).stored
        whole = Tree(70_000, shelf)
        assert whole.root() == root(leaves)
        for index in (0, 65_535, 65_536, 69_887, 69_888, 69_999):
            verify_inclusion(leaves[index], index, 70_000, whole.inclusion_proof(index), whole.root())
        for old in (1, 255, 65_535, 65_536, 69_888, 69_999):
            proof = whole.consistency_proof(old)
            verify_consistency(old, 70_000, proof, root(leaves[:old]), whole.root())

    def test_takes_leaves_as_they_come(self) -> None:
        taken = iter(LEAVES)
        tile, _ = next(grow(0, taken, SHELF))
        assert tile == Tile(0, 0, TILE_WIDTH)
        assert next(taken) == LEAVES[TILE_WIDTH]

    def test_stores_only_what_changed(self) -> None:
        assert [tile for tile, _ in grow(270, LEAVES[270:], SHELF)] == [Tile(0, 1, LARGEST - TILE_WIDTH)]
        assert list(grow(270, [], SHELF)) == []

    def test_what_a_crash_left_is_harmless(self) -> None:
        """Tiles of 300 leaves are stored, but the last checkpoint says 260."""
        assert Tree(260, SHELF).root() == tree_hash(0, 260)
        again = dict(grow(260, LEAVES[260:280], SHELF))
        assert again == {Tile(0, 1, 24): b"".join(LEAVES[256:280])}


class TestTree:
    # Two tiles of each of three levels, at most.
    @pytest.mark.parametrize("size", [999_999, 1_000_000, 2**24])
    def test_a_proof_reads_few_tiles(self, size: int) -> None:
        def any_tile(tile: Tile) -> bytes:
            read.append(tile)
            return bytes(HASH_BYTES) * tile.width

        for place in (0, 1, 65_536, 500_000, size - 1):
            for prove in (Tree.inclusion_proof, Tree.consistency_proof):
                read: list[Tile] = []
                prove(Tree(size, any_tile), place)
                assert len(read) <= 6
                assert len(set(read)) == len(read)

    def test_asks_for_tiles_of_its_own_size(self) -> None:
        SHELF.read.clear()
        Tree(290, SHELF).inclusion_proof(280)
        assert set(SHELF.read) == {Tile(0, 1, 34), Tile(1, 0, 1)}

    def test_a_tile_cut_short_is_named(self) -> None:
        with pytest.raises(InvalidProof, match=r"tile/0/000\.p/7 is cut short"):
            Tree(7, lambda tile: bytes(6 * HASH_BYTES)).root()

    def test_empty(self) -> None:
        assert Tree(0, SHELF).root() == root([]) == EMPTY_ROOT
