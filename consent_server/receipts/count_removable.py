"""Count what would be removed, by site, before anybody says yes."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from consent_server.core.database import Database
from consent_server.core.errors import InvalidSiteFile
from consent_server.receipts import store as erasure_requests
from consent_server.receipts.run_retention import proof_retention
from consent_server.sites import store as sites

# Parameters of a query, of which a database takes only so many.
AT_ONCE = 500


def count_of_visitor(database: Database, visitor: UUID) -> Mapping[str, int]:
    """The records of a visitor."""
    with database.reading() as session:
        return Counter(erasure_requests.standing(session, [visitor], []).values())


def count_requested(database: Database, site_id: int | None) -> Mapping[str, int]:
    """The records whose erasure was asked for, of a site or of all: a visitor's request is for each of theirs."""
    found: dict[int, str] = {}
    with database.reading() as session:
        requests = list(erasure_requests.open_requests(session, site_id))
        for start in range(0, len(requests), AT_ONCE):
            some = requests[start : start + AT_ONCE]
            visitors = {request.visitor for request in some if request.visitor is not None}
            found |= erasure_requests.standing(session, visitors, [request.decision_row for request in some])
    return Counter(found.values())


def count_over(database: Database, now: datetime) -> Mapping[str, int]:
    """The records whose retention is over; a site whose retention cannot be read keeps its own (run_retention.py)."""
    counts: Counter[str] = Counter()
    with database.reading() as session:
        for stored in sites.every(session):
            with suppress(InvalidSiteFile):
                before = now - proof_retention(stored.site)
                counts[stored.site.key] = erasure_requests.count_before(session, stored.id, before)
    return +counts
