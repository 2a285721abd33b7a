"""Decide on a visitor's request for erasure: carry it out, or refuse it with the reason that the visitor reads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from consent_server.core.database import Database
from consent_server.core.errors import Fault, InvalidQuery, UnknownRequest
from consent_server.core.keys import KeySource
from consent_server.receipts import store as requests
from consent_server.receipts import store_register as register
from consent_server.receipts.erase_visitor import erase_request
from consent_server.receipts.read import record_of
from consent_server.receipts.store import OpenRequest
from consent_server.receipts.store_register import EndedRequest
from consent_server.sites.rules_site import StoredSite

LONGEST_REASON = 1000
# Lines of the register on the page.
LINES = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """An open request, and how many records would go with it."""

    request: OpenRequest
    records: int


def read_request(database: Database, stored: StoredSite, receipt_id: str) -> Asked:
    """The open request that was made with a receipt. Raises UnknownReceipt, UnknownRequest."""
    with database.reading() as session:
        request = requests.open_request(session, stored.id, record_of(session, receipt_id).id)
        if request is None:
            raise UnknownRequest("No request is open for this receipt: it was decided, or never made here.")
        visitors = [] if request.visitor is None else [request.visitor]
        return Asked(request, len(requests.standing(session, visitors, [request.decision_row])))


def read_register(database: Database, site_id: int) -> list[EndedRequest]:
    """The last requests that came to an end, newest first."""
    with database.reading() as session:
        return register.newest(session, site_id, LINES)


def carry_out(
    database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime], random: Callable[[int], bytes],
    stored: StoredSite, receipt_id: str, who: str,
) -> int:  # fmt: skip
    """Erase what the request is about; return how many records went. Raises as `read_request` and `erase_visitor`.

    After a crash before the last step the ledger has the signed entry of the removal, and the register no line.
    """
    asked = read_request(database, stored, receipt_id)
    erased = erase_request(database, keys, public_url, now, random, asked.request)
    with database.transaction() as session:
        ended = EndedRequest(asked.request.asked_at, now(), erased, "", who)
        register.enter(session, stored.id, ended)
    return erased


def refuse(database: Database, stored: StoredSite, receipt_id: str, reason: str, now: datetime, who: str) -> None:
    """Keep the records, and tell the visitor why. Raises InvalidQuery for no reason or one too long."""
    said = reason.strip()
    if not said or len(said) > LONGEST_REASON:
        asked_for = f"Give the visitor a reason, of at most {LONGEST_REASON:,} characters (GDPR 12(4))."
        raise InvalidQuery("Nothing was decided.", [Fault("reason", asked_for)])
    asked = read_request(database, stored, receipt_id).request
    with database.transaction() as session:
        requests.refuse(session, asked, now, said)
        register.enter(session, stored.id, EndedRequest(asked.asked_at, now, 0, said, who))
