"""Signed notes, checkpoints and witnesses' cosignatures, byte for byte as C2SP writes them."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from consent_server.core.errors import InvalidProof
from consent_server.core.hashes import HASH_BYTES

ED25519 = 0x01
COSIGNATURE = 0x04
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 4
TIME_BYTES = 8

# C2SP asks for room for 16 signatures; post-quantum ones of witnesses run to 5 kB each.
MAX_NOTE_BYTES = 128 * 1024
MAX_SIGNATURES = 64
MAX_NUMBER = 2**63 - 1

Sign = Callable[[bytes], bytes]
# Takes the message, then the signature.
Verify = Callable[[bytes, bytes], bool]

NUMBER = re.compile("0|[1-9][0-9]{0,18}")
KEY_ID = re.compile("[0-9a-f]{8}")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key as notes know it: its name and its use (ED25519 or COSIGNATURE) are part of its id."""

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        _require_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE):
            raise InvalidProof(f"Unknown kind of note key: {self.kind:#04x}.")
        if len(self.public) != PUBLIC_KEY_BYTES:
            raise InvalidProof(f"An Ed25519 public key has {PUBLIC_KEY_BYTES} bytes.")

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(bytes([self.kind]) + self.public)}"


def parse_vkey(text: str) -> NoteKey:
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    material = _unbase64(encoded, "The key")
    if not KEY_ID.fullmatch(key_id):
        raise InvalidProof("A note key has the form name+id+key.")
    key = NoteKey(name, material[0], material[1:])
    if key.id.hex() != key_id:
        raise InvalidProof("The id of the note key does not match its name and key.")
    return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, of any kind: lines of unknown keys are carried, never judged."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        return f"\u2014 {self.name} {_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that verified; `time` is what a cosignature swears to, in Unix seconds."""

    key: NoteKey
    time: int | None


def parse_note(note: bytes | str) -> Note:
    """Read a signed note. Its text means nothing until `verify_note` has passed."""
    text = _decode(note)
    body, blank, lines = text.rpartition("\n\n")
    if not blank:
        raise InvalidProof("The note has no blank line before its signatures.")
    return Note(body + "\n", parse_signatures(lines))


def parse_signatures(lines: bytes | str) -> tuple[Signature, ...]:
    """Read signature lines alone, as a witness answers them."""
    text = _decode(lines)
    if not text.endswith("\n"):
        raise InvalidProof("The last signature line does not end in a newline.")
    split = text[:-1].split("\n")
    if len(split) > MAX_SIGNATURES:
        raise InvalidProof(f"The note has more than {MAX_SIGNATURES} signatures.")
    return tuple(map(_parse_signature, split))


def format_note(note: Note) -> str:
    """Write a signed note; what `parse_note` would not read back as it is, is refused."""
    text = note.text + "\n" + "".join(signature.line for signature in note.signatures)
    if parse_note(text) != note:
        raise InvalidProof("The text or a signature cannot be part of a note.")
    return text


def sign_note(text: str, key: NoteKey, sign: Sign) -> Signature:
    if key.kind != ED25519:
        raise InvalidProof("This key is for cosignatures.")
    return Signature(key.name, key.id, sign(text.encode()))


def cosign_note(text: str, key: NoteKey, time: int, sign: Sign) -> Signature:
    """Swear as a witness: at `time` (Unix seconds) this was the newest checkpoint seen, and consistent."""
    if key.kind != COSIGNATURE:
        raise InvalidProof("This key is not for cosignatures.")
    signature = sign(cosignature_message(text, time))
    return Signature(key.name, key.id, time.to_bytes(TIME_BYTES) + signature)


def cosignature_message(text: str, time: int) -> bytes:
    """What a cosignature/v1 signs: the time, then the whole text of the note."""
    if not 0 <= time <= MAX_NUMBER:
        raise InvalidProof("The time of the cosignature is out of range.")
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def verify_note(note: Note, keys: Mapping[NoteKey, Verify]) -> tuple[Signed, ...]:
    """The signatures of known keys, in order. None, or one that is wrong: InvalidProof.

    Unknown keys are passed over, so that a log can change keys and gain witnesses.
    """
    known = {(key.name, key.id): (key, verify) for key, verify in keys.items()}
    signed = []
    for signature in note.signatures:
        if entry := known.get((signature.name, signature.key_id)):
            signed.append(_verify_signature(note.text, signature, *entry))
    if not signed:
        raise InvalidProof("No known key signed the note.")
    return tuple(signed)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How a ledger stood: its origin, its size in leaves and its root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        lines = (self.origin, str(self.size), _base64(self.root), *self.extensions)
        text = "".join(f"{line}\n" for line in lines)
        if parse_checkpoint(text) != self:
            raise InvalidProof("The checkpoint does not match its format.")
        return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text; trust it only when it comes from a verified note."""
    lines = _decode(text).split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise InvalidProof("A checkpoint has three or more lines, none empty, each ended by a newline.")
    origin, size, encoded, *extensions = lines
    if not NUMBER.fullmatch(size) or int(size) > MAX_NUMBER:
        raise InvalidProof("The size of the checkpoint is not a plain decimal number.")
    tree_root = _unbase64(encoded, "The root")
    if len(tree_root) != HASH_BYTES:
        raise InvalidProof(f"The root must have {HASH_BYTES} bytes.")
    return Checkpoint(origin, int(size), tree_root, tuple(extensions))


def open_checkpoint(note: bytes | str, keys: Mapping[NoteKey, Verify]) -> Checkpoint:
    """Verify and read a checkpoint. A witness alone is not enough: a key named for the origin must sign."""
    parsed = parse_note(note)
    signed = verify_note(parsed, keys)
    checkpoint = parse_checkpoint(parsed.text)
    if not any(one.key.kind == ED25519 and one.key.name == checkpoint.origin for one in signed):
        raise InvalidProof("The ledger itself did not sign the checkpoint.")
    return checkpoint


def _verify_signature(text: str, signature: Signature, key: NoteKey, verify: Verify) -> Signed:
    time, message, value = None, text.encode(), signature.value
    if key.kind == COSIGNATURE:
        time, value = int.from_bytes(value[:TIME_BYTES]), value[TIME_BYTES:]
        message = cosignature_message(text, time)
    if len(value) != SIGNATURE_BYTES or not verify(message, value):
        raise InvalidProof(f"The signature of {key.name} is wrong.")
    return Signed(key, time)


def _parse_signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise InvalidProof("A signature line has the form: em dash, space, name, space, base64.")
    _require_name(parts[1])
    value = _unbase64(parts[2], "The signature")
    if len(value) <= KEY_ID_BYTES:
        raise InvalidProof("The signature is cut short.")
    return Signature(parts[1], value[:KEY_ID_BYTES], value[KEY_ID_BYTES:])


def _require_name(name: str) -> None:
    if not _decode(name) or "+" in name or any(map(str.isspace, name)):
        raise InvalidProof("A key name must not be empty, and has neither spaces nor plus signs.")


def _decode(data: bytes | str) -> str:
    try:
        raw = data.encode() if isinstance(data, str) else data
        text = raw.decode()
    except UnicodeError:
        raise InvalidProof("The note is not UTF-8.") from None
    if len(raw) > MAX_NOTE_BYTES:
        raise InvalidProof(f"The note is longer than {MAX_NOTE_BYTES} bytes.")
    if CONTROL.search(text):
        raise InvalidProof("The note has control characters other than newline.")
    return text


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _unbase64(text: str, what: str) -> bytes:
    """Take the one spelling of RFC 4648 section 4 only: stray bits would make two texts of one signature."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = b""
    if not data or _base64(data) != text:
        raise InvalidProof(f"{what} is not canonical base64.")
    return data
