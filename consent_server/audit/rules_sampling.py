"""A random sample that whoever knows its seed draws again."""

from hashlib import sha256


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
