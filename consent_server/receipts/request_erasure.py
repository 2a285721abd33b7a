"""Take a visitor's request for erasure to the controller, who decides on it (GDPR 17, 12(3))."""

from datetime import datetime

from consent_server.core.database import Database
from consent_server.core.errors import UnknownReceipt
from consent_server.decisions import store as decisions
from consent_server.receipts import store as erasure_requests
from consent_server.receipts.read import receipt_uuid
from consent_server.receipts.store import OpenRequest


def request_erasure(database: Database, receipt_id: str, now: datetime) -> datetime:
    """Open a request for the record of this receipt; return when it was first asked for.

    It covers every record of the same visitor, and this one record where the visitor has no identifier. No record
    goes by it: a controller may keep a proof as long as it needs it (GDPR 17(3)(e)). Raises UnknownReceipt.
    """
    with database.transaction() as session:
        record = decisions.by_receipt_id(session, receipt_uuid(receipt_id))
        if record is None:
            raise UnknownReceipt("There is no receipt at this address.")
        asked_at = erasure_requests.asked_at(session, record)
        if asked_at is not None:
            return asked_at
        erasure_requests.ask(session, record.id, now)
        return erasure_requests.asked_at(session, record) or now


def erasure_asked_at(database: Database, receipt_id: str) -> datetime | None:
    """When erasure of the record of this receipt was asked for, if that is still open."""
    with database.reading() as session:
        record = decisions.by_receipt_id(session, receipt_uuid(receipt_id))
        return erasure_requests.asked_at(session, record) if record else None


def read_erasure_requests(database: Database, site_id: int | None = None) -> list[OpenRequest]:
    """Those that are open on a site, or on all, oldest first."""
    with database.reading() as session:
        return list(erasure_requests.open_requests(session, site_id))
