"""A record with its story: what was shown, what was decided, and whether it is still what was signed."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from consent_server.audit import store as search
from consent_server.audit.rules_search import Filter
from consent_server.audit.search import Item, item
from consent_server.audit.store import FoundRecord
from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof
from consent_server.core.keys import KeyRing
from consent_server.decisions import store as decisions
from consent_server.decisions.rules import exceptions
from consent_server.decisions.rules_contents import Record
from consent_server.ledger.check_leaves import differences
from consent_server.ledger.rules_report import Check
from consent_server.receipts import store as erasure_requests
from consent_server.receipts.prove import Proof, Proved, open_sealed, try_proof
from consent_server.receipts.verify import Verification, verify_offline, verify_record
from consent_server.sites import store_notices as notices
from consent_server.sites import store_pictures as pictures
from consent_server.sites.notice_titles import notice_titles
from consent_server.sites.rules_site import StoredSite
from consent_server.sites.store_pictures import TakenPicture

# Decisions of one visitor that a page shows. More than these point to a test, not to a person.
MOST_OF_ONE_VISITOR = 200


@dataclass(frozen=True, slots=True)
class Sealed:
    """By when a record stood in its ledger, in how long a one, and which witnesses said so first."""

    size: int
    at: datetime
    witnesses: list[tuple[str, datetime]]


@dataclass(frozen=True, slots=True)
class Story:
    """A record, checked now. `history` are all decisions of the same visitor, oldest first.

    `pictures` show the very banner, widest first. `asked_at`: erasure was asked for, and is open. `exceptions`: by
    purpose the names of vendors that were answered otherwise.
    """

    record: Item
    receipt: str
    verification: Verification
    proof: Proof | None
    sealed: Sealed | None
    pictures: list[TakenPicture]
    asked_at: datetime | None
    history: list[Item]
    exceptions: dict[str, list[str]]

    @property
    def claims(self) -> dict[str, Any]:
        """What the receipt says; empty unless its signature holds."""
        return self.verification.claims

    @property
    def later(self) -> Item | None:
        """The next decision of the same visitor: what it withdrew or chose anew."""
        ids = [one.receipt_id for one in self.history]
        behind = self.history[ids.index(self.record.receipt_id) + 1 :] if self.record.receipt_id in ids else []
        return next(iter(behind), None)


def read_record(
    database: Database, ring: KeyRing, stored: StoredSite, receipt_id: UUID, now: Callable[[], datetime]
) -> Story | None:
    """None for a record that is not there, or is of another site. One that is newer than the ledger is sealed first."""

    def of_this_site(session: Session) -> Record | None:
        row = decisions.by_receipt_id(session, receipt_id)
        return row if row and row.site_id == stored.id else None

    with open_sealed(database, ring, now, of_this_site) as (session, row, proved):
        if row is None:
            return None
        record = search.beside(session, row)
        checked = _verify(session, ring, row, proved)
        checks = (*checked.checks, _fits(checked.claims, record, stored.site.key))
        # What is wrong with the proof stands in the verification, in words.
        proof = proved if isinstance(proved, Proof) else None
        titles = notice_titles(session, stored.id)
        shown = item(record, titles)
        return Story(
            record=shown,
            receipt=row.receipt,
            verification=replace(checked, checks=checks),
            proof=proof,
            sealed=_sealed(session, stored.id, shown.leaf_index),
            pictures=_pictures(session, shown, checked.claims),
            asked_at=erasure_requests.requests_of(session, row)[0],
            history=_history(session, stored.id, record, titles),
            exceptions=_exceptions(session, shown, checked.claims),
        )


def _exceptions(session: Session, shown: Item, claims: dict[str, Any]) -> dict[str, list[str]]:
    # A receipt that does not hold says nothing; a notice that somebody altered is told of where it is checked.
    with suppress(ValueError, LookupError, TypeError, AttributeError):
        vendors = {vendor["key"]: vendor for vendor in json.loads(notices.body(session, shown.notice))["vendors"]}
        purposes = {key: vendor["purposes"] for key, vendor in vendors.items()}
        apart = exceptions(claims["grants"], claims["vendors"], purposes)
        return {purpose: [vendors[key]["name"] for key in keys] for purpose, keys in apart.items() if keys}
    return {}


def _sealed(session: Session, site_id: int, leaf_index: int | None) -> Sealed | None:
    covering = None if leaf_index is None else search.first_covering(session, site_id, leaf_index)
    if leaf_index is None or covering is None:
        return None
    return Sealed(covering.size, covering.sealed_at, search.first_cosigners(session, site_id, leaf_index))


def _pictures(session: Session, shown: Item, claims: dict[str, Any]) -> list[TakenPicture]:
    return pictures.of_notice(session, shown.notice, claims["widget"], shown.language) if claims else []


def _verify(session: Session, ring: KeyRing, row: Record, proved: Proved) -> Verification:
    offline = verify_offline(row.receipt, ring)
    named = UUID(offline.claims["jti"]) if offline.claims else row.receipt_id
    if named == row.receipt_id:
        return verify_record(offline, row.receipt, ring, row, proved)
    # A good receipt in another's row: it is looked up as anybody's would be.
    other = decisions.by_receipt_id(session, named)
    return verify_record(offline, row.receipt, ring, other, try_proof(session, other))


def _fits(claims: dict[str, Any], record: FoundRecord, site: str) -> Check:
    """Whether the record that was searched is the one that was signed: a good receipt may stand in another's row."""
    if not claims:
        return Check("fields", False, "Not compared: the signature is not valid.")
    wrong = differences(record.row, record.notice, claims)
    wrong += ["site"] if claims["site"] != site else []
    if wrong:
        return Check("fields", False, f"The record differs from its receipt: {', '.join(wrong)}.")
    return Check("fields", True, "The fields that are searched match the receipt.")


def receipt_shown(claims: dict[str, Any]) -> tuple[UUID, str]:
    """Receipt id and site of a receipt that somebody has. Raises InvalidProof."""
    try:
        return UUID(claims["jti"]), str(claims["site"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise InvalidProof("The receipt does not name its id and site.") from None


def _history(session: Session, site_id: int, record: FoundRecord, titles: Mapping[str, str]) -> list[Item]:
    if record.row.visitor is None:
        return []
    newest_first = search.page(session, site_id, Filter(visitor=record.row.visitor), None, MOST_OF_ONE_VISITOR)
    return [item(other, titles) for other in reversed(newest_first)]
