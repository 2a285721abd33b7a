"""Check a receipt that somebody shows, and say which step failed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from consent_server.core.database import Database
from consent_server.core.errors import InvalidProof, Refusal
from consent_server.core.keys import KeyRing, read_header, verify_jws
from consent_server.core.notes import NoteKey, Verify, open_checkpoint
from consent_server.core.seal_guard import site_ledger
from consent_server.decisions import store as decisions
from consent_server.decisions.rules_contents import Record, commitment
from consent_server.decisions.rules_receipt import RECEIPT_TYPE
from consent_server.ledger.rules import leaf_hash, verify_inclusion
from consent_server.ledger.rules_report import Check
from consent_server.ledger.why_gone import why_gone
from consent_server.receipts.pasted import why_unreadable
from consent_server.receipts.prove import GivenProof, Proof, Proved, open_sealed

UNSIGNED = "Not looked up: the signature is not valid."


@dataclass(frozen=True, slots=True)
class Verification:
    """All steps. `claims` are empty unless the signature holds: nobody should read what nobody signed.

    What is not `readable` has not the form of a receipt: it says nothing of who signed what.
    """

    checks: tuple[Check, ...]
    claims: dict[str, Any]
    readable: bool = True

    @property
    def valid(self) -> bool:
        """Whether every step held."""
        return all(check.ok for check in self.checks)


def verify_offline(receipt: str, ring: KeyRing, proof: GivenProof | None = None) -> Verification:
    """Check key and signature with published keys alone, and the ledger's proof where somebody brings one."""
    claims: dict[str, Any] = {}

    unreadable = why_unreadable(receipt)

    def signature() -> str:
        if unreadable:
            raise InvalidProof(f"This cannot be read as a receipt. {unreadable}")
        claims.update(verify_jws(receipt, RECEIPT_TYPE, ring))
        return "The signature matches the content."

    def inclusion() -> str:
        # Whoever has a revoked key can sign checkpoints as well: theirs hold no receipt.
        return _included(receipt, claims, proof, lambda origin: ring.note_keys(origin, revoked=False))

    signed, included = _check("signature", signature), _check("inclusion", inclusion)
    key = _check("key", lambda: _key_in_force(receipt, ring, included))
    return Verification((signed, key, included) if proof else (signed, key), claims, unreadable is None)


def _key_in_force(receipt: str, ring: KeyRing, included: Check) -> str:
    kid = ring.key(str(read_header(receipt)["kid"])).thumbprint()
    if ring.is_revoked(kid) and not included.ok:
        raise InvalidProof(f"The key {kid} is revoked: others may have signed this. It holds only with its proof.")
    return kid


def verify_receipt(receipt: str, ring: KeyRing, database: Database, now: Callable[[], datetime]) -> Verification:
    """Check key and signature, that this very receipt is on record here, and that the ledger holds it.

    A record that no checkpoint covers yet is sealed first, so that the answer does not depend on the moment.
    """
    offline = verify_offline(receipt, ring)
    if not offline.claims:
        return verify_record(offline, receipt, ring, None, InvalidProof(UNSIGNED))
    named = UUID(offline.claims["jti"])
    with open_sealed(database, ring, now, lambda session: decisions.by_receipt_id(session, named)) as held:
        session, row, proved = held
        gone = "it may have been erased" if row is not None else why_gone(session, ring, offline.claims)
        return verify_record(offline, receipt, ring, row, proved, gone)


def verify_record(
    offline: Verification, receipt: str, ring: KeyRing, row: Record | None, proved: Proved,
    gone: str = "it may have been erased",
) -> Verification:  # fmt: skip
    """The two checks more that take the record of the receipt's id, and its proof. `gone` says why it is not here."""
    at = proved.sealed_at if isinstance(proved, Proof) else None
    record = _check("record", lambda: _recorded(receipt, offline.claims, row, gone))
    inclusion = _check(
        "inclusion", lambda: _included(receipt, offline.claims, proved, lambda origin: ring.note_keys(origin, at))
    )
    signature, key = offline.checks
    if record.ok and inclusion.ok:
        # Both are this server's own word: what a revoked key signed before others had it is still on record.
        key = _check("key", lambda: _key_in_force(receipt, ring, inclusion))
    return replace(offline, checks=(signature, key, record, inclusion))


def _check(name: str, step: Callable[[], str]) -> Check:
    try:
        return Check(name, True, step())
    except Refusal as error:
        return Check(name, False, error.detail)


def _recorded(receipt: str, claims: dict[str, Any], row: Record | None, gone: str) -> str:
    if not claims:
        raise InvalidProof(UNSIGNED)
    if row is None or row.receipt != receipt:
        raise InvalidProof(f"This receipt is not on record here; {gone}.")
    return "This receipt is on record."


def _included(
    receipt: str, claims: dict[str, Any], proved: GivenProof | Refusal | None,
    keys: Callable[[str], dict[NoteKey, Verify]],
) -> str:  # fmt: skip
    if not claims:
        raise InvalidProof(UNSIGNED)
    if not isinstance(proved, GivenProof):
        raise proved or InvalidProof("Its proof was not given.")
    name = proved.checkpoint.partition("\n")[0]
    if site_ledger(name)[0] != site_ledger(claims["ledger"])[0]:
        raise InvalidProof(f"The checkpoint is of another ledger, {name}.")
    checkpoint = open_checkpoint(proved.checkpoint, keys(name))
    leaf = leaf_hash(commitment(proved.salt, receipt))
    verify_inclusion(leaf, proved.leaf_index, checkpoint.size, proved.hashes, checkpoint.root)
    return f"Leaf {proved.leaf_index} of the {checkpoint.size} that the newest checkpoint covers."
