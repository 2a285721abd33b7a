"""The proof that a receipt stands in its site's ledger."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from consent_server.core.canonical import decode_strict
from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof, NotSealedYet, Refusal, UnknownReceipt
from consent_server.core.keys import KeyRing
from consent_server.core.notes import (
    ED25519,
    Note,
    NoteKey,
    format_note,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    sign_note,
)
from consent_server.decisions.rules_contents import Record
from consent_server.ledger import store as ledgers
from consent_server.ledger.rules import Tree
from consent_server.ledger.seal import seal_ledger
from consent_server.receipts.read import record_of


@dataclass(frozen=True, slots=True)
class GivenProof:
    """An inclusion proof against a checkpoint (docs/formats/checkpoint.md), as somebody brings it."""

    leaf_index: int
    tree_size: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Proof(GivenProof):
    """One of this server, against the newest checkpoint."""

    sealed_at: datetime


def read_proof(text: str) -> GivenProof:
    """What /v1/receipts/LINK/proof answered. Raises InvalidProof."""
    said = decode_strict(text.encode(errors="replace"))
    try:
        hashes = tuple(bytes.fromhex(value) for value in said["hashes"])
        numbers, salt = (said["leaf_index"], said["tree_size"]), bytes.fromhex(said["salt"])
        if not isinstance(said["checkpoint"], str) or any(type(number) is not int for number in numbers):
            raise TypeError
    except (KeyError, TypeError, ValueError):
        raise InvalidProof("This is not the proof of a receipt, as /v1/receipts/LINK/proof answers it.") from None
    return GivenProof(*numbers, hashes, said["checkpoint"], salt)


def prove_receipt(database: Database, receipt_id: str) -> Proof:
    """Raises UnknownReceipt; NotSealedYet before the first checkpoint that covers it."""
    with database.reading() as session:
        return proof_of(session, record_of(session, receipt_id))


def proof_of(session: Session, row: Record) -> Proof:
    """The proof of a record. Raises NotSealedYet."""
    leaf = ledgers.leaf_of_decision(session, row.id)
    newest = ledgers.newest_checkpoint(session, row.site_id)
    if leaf is None or newest is None:
        raise NotSealedYet("No checkpoint covers this record yet. Ask again in a few seconds.")
    tree = Tree(newest.size, ledgers.tile_reader(session, row.site_id))
    hashes = tuple(tree.inclusion_proof(leaf.leaf_index))
    return Proof(leaf.leaf_index, newest.size, hashes, newest.note, row.salt, newest.sealed_at)


def signed_anew(proof: Proof, ring: KeyRing) -> str:
    """The checkpoint of a proof, by the newest key too where none signed it but revoked ones.

    Whoever knows nothing but keys and proof could not tell it from one that a thief of the key made.
    Raises InvalidProof.
    """
    note = parse_note(proof.checkpoint)
    origin = parse_checkpoint(note.text).origin
    trusted = {(key.name, key.id) for key in ring.note_keys(origin, revoked=False)}
    if any((line.name, line.key_id) in trusted for line in note.signatures):
        return proof.checkpoint
    open_checkpoint(proof.checkpoint, ring.note_keys(origin, proof.sealed_at))
    key = NoteKey(origin, ED25519, ring.public_bytes())
    return format_note(Note(note.text, (*note.signatures, sign_note(note.text, key, ring.sign_bytes))))


# A proof, or why there is none.
Proved = Proof | Refusal


def try_proof(session: Session, row: Record | None) -> Proved:
    """The proof of a record, if there is one and it can be made."""
    try:
        if row is None:
            raise UnknownReceipt("There is no receipt at this address.")
        return proof_of(session, row)
    except (InvalidProof, NotSealedYet, UnknownReceipt) as error:
        return error


@contextmanager
def open_sealed(
    database: Database,
    ring: KeyRing,
    now: Callable[[], datetime],
    find: Callable[[Session], Record | None],
) -> Iterator[tuple[Session, Record | None, Proved]]:
    """A snapshot in which a record is found, with its proof. One that no checkpoint covers yet is sealed first.

    Of its own site alone: what is wrong with another ledger says nothing about this record.
    """
    with database.snapshot() as session:
        row = find(session)
        proved = try_proof(session, row)
        if row is None or not isinstance(proved, NotSealedYet):
            yield session, row, proved
            return
        site_id = row.site_id
    broken: Refusal | None = None
    try:
        seal_ledger(database, ring, now, site_id)
    except InvalidProof as error:
        broken = error
    with database.snapshot() as session:
        row = find(session)
        yield session, row, broken or try_proof(session, row)
