"""Check a receipt that somebody shows, and say which step failed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consent_server.core.database import Database
from consent_server.core.errors import InvalidProof, NotSealedYet, UnknownReceipt
from consent_server.core.keys import KeyRing, read_header, verify_jws
from consent_server.core.notes import open_checkpoint
from consent_server.decisions import store as decisions
from consent_server.decisions.rules_receipt import RECEIPT_TYPE
from consent_server.ledger.rules import commitment, leaf_hash, verify_inclusion
from consent_server.ledger.seal import seal_ledger
from consent_server.receipts.prove import prove_receipt
from consent_server.sites import store as sites


@dataclass(frozen=True, slots=True)
class Check:
    """One step of a verification."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """All steps. `claims` are empty unless the signature holds: nobody should read what nobody signed."""

    checks: tuple[Check, ...]
    claims: dict[str, Any]

    @property
    def valid(self) -> bool:
        """Whether every step held."""
        return all(check.ok for check in self.checks)


def verify_offline(receipt: str, ring: KeyRing) -> Verification:
    """Check key and signature with published keys alone."""
    key = _check("key", lambda: str(ring.key(str(read_header(receipt)["kid"])).thumbprint()))
    claims: dict[str, Any] = {}

    def signature() -> str:
        claims.update(verify_jws(receipt, RECEIPT_TYPE, ring))
        return "The signature matches the content."

    return Verification((_check("signature", signature), key), claims)


def verify_receipt(receipt: str, ring: KeyRing, database: Database, now: Callable[[], datetime]) -> Verification:
    """Check key and signature, that this very receipt is on record here, and that the ledger holds it.

    A record that no checkpoint covers yet is sealed first, so that the answer does not depend on the moment.
    """
    offline = verify_offline(receipt, ring)
    record = _check("record", lambda: _recorded(receipt, offline.claims, database))
    inclusion = _check("inclusion", lambda: _included(receipt, offline.claims, ring, database, now))
    return Verification((*offline.checks, record, inclusion), offline.claims)


def _check(name: str, step: Callable[[], str]) -> Check:
    try:
        return Check(name, True, step())
    except (InvalidProof, UnknownReceipt, NotSealedYet) as error:
        return Check(name, False, error.detail)


def _recorded(receipt: str, claims: dict[str, Any], database: Database) -> str:
    if not claims:
        raise InvalidProof("Not looked up: the signature is not valid.")
    with database.reading() as session:
        row = decisions.by_receipt_id(session, UUID(claims["jti"]))
    if row is None or row.receipt != receipt:
        raise InvalidProof("This receipt is not on record here; it may have been erased.")
    return "This receipt is on record."


def _included(
    receipt: str, claims: dict[str, Any], ring: KeyRing, database: Database, now: Callable[[], datetime]
) -> str:
    if not claims:
        raise InvalidProof("Not looked up: the signature is not valid.")
    try:
        proof = prove_receipt(database, claims["jti"])
    except NotSealedYet:
        # Of its own site alone: what is wrong with another ledger says nothing about this receipt.
        with database.reading() as session:
            site_id = sites.get(session, claims["site"]).id
        seal_ledger(database, ring, now, site_id)
        proof = prove_receipt(database, claims["jti"])
    checkpoint = open_checkpoint(proof.checkpoint, ring.note_keys(claims["ledger"]))
    leaf = leaf_hash(commitment(proof.salt, receipt))
    verify_inclusion(leaf, proof.leaf_index, checkpoint.size, proof.hashes, checkpoint.root)
    return f"Leaf {proof.leaf_index} of the {checkpoint.size} that the newest checkpoint covers."
