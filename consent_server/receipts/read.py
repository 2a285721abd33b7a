"""Find a recorded receipt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consent_server.core.canonical import decode_strict
from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof, UnknownReceipt
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.decisions import store as decisions
from consent_server.decisions.rules_contents import Record
from consent_server.decisions.rules_receipt import RECEIPT_TYPE
from consent_server.ledger import store as ledgers
from consent_server.sites import store as sites
from consent_server.sites import store_notices as notices
from consent_server.sites.rules_site import StoredSite


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """A receipt with the notice that it answers."""

    receipt: str
    claims: dict[str, Any]
    notice: dict[str, Any]
    notice_at: datetime
    recorded_at: datetime


def receipt_uuid(receipt_id: str) -> UUID:
    """Raises UnknownReceipt for what is no receipt id."""
    try:
        return UUID(receipt_id)
    except ValueError:
        raise UnknownReceipt("There is no receipt at this address.") from None


def record_of(session: Session, receipt_id: str) -> Record:
    """The record of a receipt. Raises UnknownReceipt."""
    record = decisions.by_receipt_id(session, receipt_uuid(receipt_id))
    if record is None:
        raise UnknownReceipt("There is no receipt at this address.")
    return record


def read_receipt(database: Database, ring: KeyRing, receipt_id: str) -> ReadReceipt:
    """Raises UnknownReceipt; InvalidProof when what is stored is not what was signed."""
    with database.reading() as session:
        return read_recorded(session, ring, record_of(session, receipt_id))


def read_recorded(session: Session, ring: KeyRing, record: Record) -> ReadReceipt:
    """The receipt of a record. Raises InvalidProof when what is stored is not what was signed."""
    if record.fault:
        raise InvalidProof(f"The record cannot be read: {record.fault}.")
    claims = verify_jws(record.receipt, RECEIPT_TYPE, ring)
    notice = decode_strict(notices.body(session, claims["notice"]))
    notice_at = notices.first_published_at(session, claims["notice"])
    return ReadReceipt(record.receipt, claims, notice, notice_at, record.recorded_at)


def place_of_receipt(database: Database, receipt_id: str) -> tuple[StoredSite, int | None]:
    """The site on which a receipt was made, and its leaf there, None before it is sealed. Raises UnknownReceipt."""
    with database.reading() as session:
        record = decisions.by_receipt_id(session, receipt_uuid(receipt_id))
        if record is None:
            raise UnknownReceipt("There is no receipt at this address. It may have been erased.")
        leaf = ledgers.leaf_of_decision(session, record.id)
        return sites.by_id(session, record.site_id), leaf.leaf_index if leaf else None
