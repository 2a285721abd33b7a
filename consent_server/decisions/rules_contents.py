"""What of a record identifies somebody, and what is left of it where anybody may look."""

import struct
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Self
from uuid import UUID

from consent_server.core.errors import InvalidProof

SALT_BYTES = HASH_BYTES = 32
# What a record is looked up by.
DECISION, RECEIPT, VISITOR = "decision", "receipt", "visitor"
# How a content begins: another form would have another number.
FORM = 1
_LAYOUT = struct.Struct(f">B{SALT_BYTES}s{HASH_BYTES}s16s16s?16s")
# Of a UUID of version 7 (RFC 9562 section 5.7): milliseconds since 1970.
_TIME_BYTES = 6
_PLACE = struct.Struct(">QQH")


def commitment(salt: bytes, receipt: str) -> bytes:
    """Hide a receipt behind its salt: the leaf data that the ledger commits to."""
    # Salt and receipt are joined without a mark between them: any other length would let bytes change sides.
    if len(salt) != SALT_BYTES:
        raise InvalidProof(f"A salt has {SALT_BYTES} bytes; this one has {len(salt)}.")
    if not receipt.isascii():
        raise InvalidProof("A receipt must be ASCII.")
    return sha256(salt + receipt.encode()).digest()


def tag(kind: str, identifier: UUID) -> UUID:
    """By what a record is looked up instead of an identifier. An identifier is random, so nobody guesses it by this.

    Those that the server gave begin with their time, which the record says too, and so do their tags: what is new
    comes to one end of an index, and not to a page of its own anywhere.
    """
    hashed = sha256(f"consent {kind} ".encode() + identifier.bytes).digest()
    return UUID(bytes=hashed[:16] if kind == DECISION else identifier.bytes[:_TIME_BYTES] + hashed[: 16 - _TIME_BYTES])


def place_of(site_id: int, chunk: int, slot: int) -> bytes:
    """Where a content belongs, for its encryption to be bound to: it opens nowhere else."""
    return _PLACE.pack(site_id, chunk, slot)


@dataclass(frozen=True, slots=True)
class Content:
    """What identifies: encrypted under a key of its own, and gone with it.

    `request_hash` tells a repeated post from another decision under the same id; `salt` hides the receipt in the
    public ledger.
    """

    salt: bytes
    request_hash: bytes
    visitor: UUID | None
    decision_id: UUID
    receipt_id: UUID
    receipt: str

    def packed(self) -> bytes:
        """As bytes, for encryption."""
        visitor = self.visitor.bytes if self.visitor else bytes(16)
        ids = (self.decision_id.bytes, self.receipt_id.bytes, self.visitor is not None, visitor)
        return _LAYOUT.pack(FORM, self.salt, self.request_hash, *ids) + self.receipt.encode()

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Raises ValueError for what has another form."""
        if len(packed) < _LAYOUT.size or packed[0] != FORM:
            raise ValueError("This is no content of a record.")
        _, salt, request_hash, decision_id, receipt_id, has_visitor, visitor = _LAYOUT.unpack_from(packed)
        return cls(
            salt,
            request_hash,
            UUID(bytes=visitor) if has_visitor else None,
            UUID(bytes=decision_id),
            UUID(bytes=receipt_id),
            packed[_LAYOUT.size :].decode(),
        )

    def tags(self) -> dict[str, UUID | None]:
        """By which the record is looked up, by column."""
        return {
            "decision_id": tag(DECISION, self.decision_id),
            "receipt_id": tag(RECEIPT, self.receipt_id),
            "visitor": tag(VISITOR, self.visitor) if self.visitor else None,
        }


@dataclass(frozen=True, slots=True)
class Record:
    """A record whose content is open.

    `fault` says why it could not be opened: then salt and receipt are empty, and the ids are those of nobody.
    `altered` names the claims that the record is looked up by and its content does not confirm.
    """

    id: int
    site_id: int
    notice_id: int
    decision_id: UUID
    receipt_id: UUID
    visitor: UUID | None
    action: str
    method: str
    change: bool
    gpc: bool
    stale: bool
    language: str
    granted: str
    recorded_at: datetime
    request_hash: bytes
    salt: bytes
    receipt: str
    fault: str | None = None
    altered: tuple[str, ...] = ()

    def opened(self, content: Content, altered: tuple[str, ...]) -> Self:
        """With what its content says."""
        return replace(
            self,
            decision_id=content.decision_id,
            receipt_id=content.receipt_id,
            visitor=content.visitor,
            request_hash=content.request_hash,
            salt=content.salt,
            receipt=content.receipt,
            altered=altered,
        )
