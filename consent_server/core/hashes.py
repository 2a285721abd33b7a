"""SHA-256 as a name: its length, its one spelling."""

import hashlib
import re

HASH_BYTES = 32
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()
