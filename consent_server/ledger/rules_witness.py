"""What a witness is asked and what it answers (C2SP tlog-witness)."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from consent_server.core.errors import InvalidProof
from consent_server.core.notes import NUMBER, Note, NoteKey, Signature, Verify, verify_note

SIZE_TYPE = "text/x.tlog.size"


# Seconds by which a witness's clock may miss ours: as much as the verifier of an evidence pack allows.
CLOCKS_APART = 900


def request_body(old_size: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body of `add-checkpoint`: the size that the witness knows, the proof from there, the checkpoint."""
    lines = [f"old {old_size}", *(b64encode(value).decode() for value in proof), "", note]
    return "\n".join(lines).encode()


def known_size(content_type: str, body: bytes) -> int | None:
    """The size of a 409: that of the newest checkpoint which the witness cosigned. None when it names none."""
    text = body.decode("ascii", "replace")
    if content_type != SIZE_TYPE or not text.endswith("\n") or not NUMBER.fullmatch(text[:-1]):
        return None
    return int(text)


def cosignature_time(
    text: str, signature: Signature, key: NoteKey, verify: Verify, sealed_at: datetime, now: datetime
) -> datetime:
    """When a witness saw this checkpoint. Raises InvalidProof where it swears to something else."""
    (signed,) = verify_note(Note(text, (signature,)), {key: verify})
    # A witness's key signs cosignatures only, and each has a time.
    stamp = signed.time or 0
    if not sealed_at.timestamp() - CLOCKS_APART <= stamp <= now.timestamp() + CLOCKS_APART:
        raise InvalidProof(f"The cosignature of {key.name} is dated {stamp} s after 1970: not when it was made.")
    return datetime.fromtimestamp(stamp, UTC)


@dataclass(frozen=True, slots=True)
class CosignedCheckpoint:
    """A checkpoint with every cosignature that was kept: the ledger's own signatures stand first."""

    size: int
    sealed_at: datetime
    note: str
