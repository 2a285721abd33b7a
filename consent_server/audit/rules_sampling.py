"""A random sample that whoever knows its seed draws again."""

from bisect import bisect_left
from hashlib import sha256
from math import comb


def sample_indexes(seed: str, count: int, size: int) -> list[int]:
    """`count` distinct leaf indexes below `size`, in the order drawn; all of them when there are no more.

    The i-th draw, from 0, is the first 16 bytes of SHA-256 over "SEED:i" as a big-endian number, modulo
    `size`; a leaf that was drawn before is passed over. 128 bits make the modulo's lean to small indexes
    less than one in 2^64.
    """
    drawn: dict[int, None] = {}
    draw = 0
    while len(drawn) < min(count, size):
        digest = sha256(f"{seed}:{draw}".encode()).digest()
        drawn[int.from_bytes(digest[:16], "big") % size] = None
        draw += 1
    return list(drawn)


def most_faulty(count: int, size: int) -> int:
    """Of `size` leaves, how many can be at fault where none of `count` drawn ones is; more would show in 95 of 100.

    About 3/`count` of them; exact by the hypergeometric law, as no leaf is drawn twice.
    """
    missed = comb(size, count)
    return bisect_left(range(size - count + 1), True, key=lambda faulty: 20 * comb(size - faulty, count) < missed) - 1
