"""Keys of records that can be destroyed one by one: a puncturable tree (Goldreich, Goldwasser and Micali 1986).

A chunk is the binary tree under one random secret. A node's children are hashes of its secret, and a leaf's secret is
the key of one record. Nodes are numbered like a heap: the root is 1, the children of `n` are `2n` and `2n + 1`. What
is kept is a few nodes whose subtrees never overlap. To destroy a key, the node above it gives way to the nodes beside
the path to it: no hash can be turned back, so that nothing that is kept leads to that key any more.
"""

from collections.abc import Collection, Mapping
from hashlib import sha256

SECRET_BYTES = 32
HEIGHT = 12
SLOTS = 1 << HEIGHT
ROOT = 1

# Secrets by node.
Nodes = Mapping[int, bytes]


def children(node: int, secret: bytes) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    """Both children of a node, with their secrets."""
    left, right = sha256(secret + b"\x00").digest(), sha256(secret + b"\x01").digest()
    return (2 * node, left), (2 * node + 1, right)


def key_of(nodes: Nodes, slot: int) -> bytes | None:
    """The key of a slot; None once it is destroyed. Raises ValueError for a slot that no chunk has."""
    if not 0 <= slot < SLOTS:
        raise ValueError(f"A chunk has {SLOTS} slots; there is no slot {slot}.")
    for height in range(HEIGHT + 1):
        secret = nodes.get((SLOTS + slot) >> height)
        if secret is not None:
            for level in reversed(range(height)):
                secret = sha256(secret + (b"\x01" if slot >> level & 1 else b"\x00")).digest()
            return secret
    return None


def punctured(nodes: Nodes, slots: Collection[int]) -> dict[int, bytes]:
    """What to keep instead of these nodes, so that the keys of these slots are gone and all others stay."""
    above = {(SLOTS + slot) >> height for slot in slots for height in range(HEIGHT + 1)}
    kept, split = {}, list(nodes.items())
    while split:
        node, secret = split.pop()
        if node not in above:
            kept[node] = secret
        elif node < SLOTS:
            split += children(node, secret)
    return kept


class Unused:
    """The slots of a chunk that no record has taken yet, in order.

    Holds what leads to these alone: the key of a record that was made cannot be had from here.
    """

    def __init__(self, root: bytes) -> None:
        # Nodes beside the path to the next slot, the leftmost last.
        self._nodes = [(ROOT, root)]

    def __bool__(self) -> bool:
        return bool(self._nodes)

    def take(self) -> tuple[int, bytes]:
        """The next slot and its key. Raises IndexError when all are taken."""
        node, secret = self._nodes.pop()
        while node < SLOTS:
            (node, secret), right = children(node, secret)
            self._nodes.append(right)
        return node - SLOTS, secret
