"""Take a visitor's request for erasure to the controller, who decides on it (GDPR 17, 12(3))."""

from datetime import datetime

from consent_server.core.database import VISITOR, Database
from consent_server.receipts import store as erasure_requests
from consent_server.receipts.read import record_of
from consent_server.receipts.store import OpenRequest

# Requests on a page of the console.
PAGE = 100


def request_erasure(database: Database, receipt_id: str, now: datetime) -> datetime:
    """Open a request for the record of this receipt; return when it was first asked for.

    It covers every record of the same visitor, and this one record where the visitor has no identifier. No record
    goes by it: a controller may keep a proof as long as it needs it (GDPR 17(3)(e)). Raises UnknownReceipt.
    """
    with database.transaction(VISITOR) as session:
        record = record_of(session, receipt_id)
        asked_at, _ = erasure_requests.requests_of(session, record)
        if asked_at is not None:
            return asked_at
        erasure_requests.ask(session, record.id, now)
        asked_at, _ = erasure_requests.requests_of(session, record)
        return asked_at or now


def read_erasure_page(database: Database, site_id: int, page: int) -> tuple[list[OpenRequest], bool]:
    """A page of those that are open on a site, oldest first, and whether another follows."""
    with database.reading() as session:
        found = erasure_requests.page_of_open(session, site_id, (page - 1) * PAGE, PAGE + 1)
    return found[:PAGE], len(found) > PAGE


def count_erasure_requests(database: Database, site_id: int) -> int:
    """How many are open on a site."""
    with database.reading() as session:
        return erasure_requests.count_open(session, site_id)


def oldest_erasure_request(database: Database, site_id: int) -> datetime | None:
    """When the oldest that is open on a site was asked for."""
    found, _ = read_erasure_page(database, site_id, 1)
    return found[0].asked_at if found else None


def read_erasure_requests(database: Database, site_id: int | None = None) -> list[OpenRequest]:
    """Those that are open on a site, or on all, oldest first."""
    with database.reading() as session:
        return list(erasure_requests.open_requests(session, site_id))
