"""All that the page of a receipt shows, as one state of the database."""

from dataclasses import dataclass
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.errors import NotSealedYet
from consent_server.core.keys import KeyRing
from consent_server.decisions.rules_contents import Record
from consent_server.receipts import store as erasure_requests
from consent_server.receipts.prove import Proof, proof_of
from consent_server.receipts.read import ReadReceipt, read_recorded, record_of
from consent_server.receipts.store import Refusal
from consent_server.receipts.withdraw import Standing, standing_of
from consent_server.sites import store as sites
from consent_server.sites.rules_site import Site


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """A receipt, what stands of it, and its proof once it is sealed. `asked_at`: erasure was asked for, and is open;
    `refusal`: of one that is not.
    """

    receipt: ReadReceipt
    standing: Standing
    asked_at: datetime | None
    refusal: Refusal | None
    proof: Proof | None
    site: Site


def read_page(database: Database, ring: KeyRing, receipt_id: str, now: datetime) -> ReceiptPage:
    """Raises UnknownReceipt; InvalidProof when what is stored is not what was signed."""
    with database.snapshot() as session:
        record = record_of(session, receipt_id)
        receipt = read_recorded(session, ring, record)
        standing = standing_of(session, ring, record, now, receipt)
        asked_at, refusal = erasure_requests.requests_of(session, record)
        return ReceiptPage(
            receipt=receipt,
            standing=standing,
            asked_at=asked_at,
            refusal=refusal,
            proof=_proof_if_sealed(session, record),
            site=sites.by_id(session, record.site_id).site,
        )


def _proof_if_sealed(session: Session, record: Record) -> Proof | None:
    try:
        return proof_of(session, record)
    except NotSealedYet:
        return None
