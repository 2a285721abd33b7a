"""A record with its story: what was shown, what was decided, and whether it is still what was signed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consent_server.audit import store as search
from consent_server.audit.rules_search import Filter
from consent_server.audit.search import Item, item
from consent_server.audit.store import FoundRecord
from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof, NotSealedYet, UnknownReceipt
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.decisions.rules_receipt import RECEIPT_TYPE
from consent_server.ledger.check_leaves import differences
from consent_server.receipts.prove import Proof, prove_receipt
from consent_server.receipts.verify import Check, Verification, verify_receipt
from consent_server.sites.rules_site import StoredSite

# Decisions of one visitor that a page shows. More than these point to a test, not to a person.
MOST_OF_ONE_VISITOR = 200


@dataclass(frozen=True, slots=True)
class Story:
    """A record, checked now. `history` are all decisions of the same visitor, oldest first."""

    record: Item
    receipt: str
    verification: Verification
    proof: Proof | None
    history: list[Item]

    @property
    def claims(self) -> dict[str, Any]:
        """What the receipt says; empty unless its signature holds."""
        return self.verification.claims


def read_record(
    database: Database, ring: KeyRing, stored: StoredSite, receipt_id: UUID, now: Callable[[], datetime]
) -> Story:
    """Raises UnknownReceipt, also for a record of another site."""
    receipt = _record(database, stored, receipt_id).row.receipt
    # Checked before the rest is read: checking seals a record that is newer than the newest checkpoint.
    checked = verify_receipt(receipt, ring, database, now)
    found = _record(database, stored, receipt_id)
    with database.reading() as session:
        history = _history(session, stored.id, found)
    checks = (*checked.checks, _fits(checked.claims, found, stored.site.key))
    return Story(item(found), receipt, Verification(checks, checked.claims), _proof(database, receipt_id), history)


def _record(database: Database, stored: StoredSite, receipt_id: UUID) -> FoundRecord:
    with database.reading() as session:
        found = search.record(session, stored.id, receipt_id)
    if found is None:
        raise UnknownReceipt("This site has no record of this receipt. It may have been erased.")
    return found


def _fits(claims: dict[str, Any], found: FoundRecord, site: str) -> Check:
    """Whether the record that was searched is the one that was signed: a good receipt may stand in another's row."""
    if not claims:
        return Check("fields", False, "Not compared: the signature is not valid.")
    wrong = differences(found.row, found.notice, claims)
    wrong += ["site"] if claims["site"] != site else []
    if wrong:
        return Check("fields", False, f"The record differs from its receipt: {', '.join(wrong)}.")
    return Check("fields", True, "The fields that are searched match the receipt.")


def receipt_shown(receipt: str, ring: KeyRing) -> tuple[UUID, str]:
    """Receipt id and site of a compact JWS that somebody has. Raises InvalidProof."""
    claims = verify_jws(receipt, RECEIPT_TYPE, ring)
    try:
        return UUID(claims["jti"]), str(claims["site"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise InvalidProof("The receipt does not name its id and site.") from None


def _history(session: Session, site_id: int, found: FoundRecord) -> list[Item]:
    if found.row.visitor is None:
        return []
    theirs = search.page(session, site_id, Filter(visitor=found.row.visitor), None, MOST_OF_ONE_VISITOR)
    return [item(record) for record in reversed(theirs)]


def _proof(database: Database, receipt_id: UUID) -> Proof | None:
    try:
        return prove_receipt(database, str(receipt_id))
    except (NotSealedYet, UnknownReceipt, InvalidProof):
        # What is wrong stands in the verification, in words.
        return None
