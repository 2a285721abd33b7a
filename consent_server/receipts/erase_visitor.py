"""Erase what identifies a visitor, and leave a signed entry that says so (GDPR 17)."""

from collections.abc import Callable, Collection
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from consent_server.core.database import Database
from consent_server.core.errors import Refusal
from consent_server.core.keys import KeySource
from consent_server.ledger import store as ledgers
from consent_server.ledger.rules_removal import Rule, ranges
from consent_server.ledger.seal import refuse, seal_what_holds
from consent_server.receipts import store as erasure_requests
from consent_server.receipts.remove_records import Remover

# Records removed in one transaction, each site's behind one signed entry; and requests carried out together.
BATCH, REQUESTS = 1000, 500


def erase_visitor(
    database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime], random: Callable[[int], bytes],
    visitor: UUID, progress: Callable[[int], None] = lambda _: None,
) -> int:  # fmt: skip
    """Remove every record of a visitor; return how many there were. `progress` is told of each batch how many it was.

    Raises StorageUnavailable when the records are gone and the files still hold copies: run it again. A ledger that
    somebody changed keeps its records; InvalidProof names it once all others are done.
    """
    erased, broken = _erase(database, keys, Remover(keys.ring, public_url, random), now, [visitor], [], progress)
    database.forget()
    refuse(broken, f"{erased} removed elsewhere.")
    return erased


def erase_requested(
    database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime], random: Callable[[int], bytes],
    site_id: int | None, progress: Callable[[int], None] = lambda _: None,
) -> int:  # fmt: skip
    """Carry out every open request of a site, or of all; return how many records that removed.

    The files are written anew once for all of them. Raises StorageUnavailable and InvalidProof as `erase_visitor` does.
    """
    remover, erased, broken = Remover(keys.ring, public_url, random), 0, dict[int, Refusal]()
    with database.reading() as session:
        requests = list(erasure_requests.open_requests(session, site_id))
    for start in range(0, len(requests), REQUESTS):
        some = requests[start : start + REQUESTS]
        visitors = {one.visitor for one in some if one.visitor is not None}
        count, found = _erase(database, keys, remover, now, visitors, [one.decision_row for one in some], progress)
        erased, broken = erased + count, broken | found
    database.forget()
    refuse(broken, f"{erased} removed elsewhere.")
    return erased


def _erase(
    database: Database, keys: KeySource, remover: Remover, now: Callable[[], datetime], visitors: Collection[UUID],
    records: Collection[int], progress: Callable[[int], None],
) -> tuple[int, dict[int, Refusal]]:  # fmt: skip
    """Remove all records of these visitors, and these; return how many, and the sites that were left as they are.

    Sealed before each removal, so that each record has a leaf that it can name; the last run seals the last
    removal and finds nothing left.
    """
    erased, sites, broken = 0, set[int](), dict[int, Refusal]()
    while True:
        with database.reading() as session:
            sites |= ledgers.sites_of(session, visitors, records)
        broken |= seal_what_holds(database, keys.ring, now, sites)[1]
        batch = _erase_batch(database, remover, sites - broken.keys(), visitors, records, now())
        erased += batch
        progress(batch)
        if not batch:
            return erased, broken


def _erase_batch(
    database: Database, remover: Remover, sites: set[int], visitors: Collection[UUID], records: Collection[int],
    now: datetime,
) -> int:  # fmt: skip
    with database.transaction() as session:
        # Before the leaves are chosen: another removal under way may be about to name the same ones.
        ledgers.take_turns(session, sites)
        # Requested records last: a request goes with its record, and a crash must leave it until all others are gone.
        found = ledgers.leaves_of(session, sites, visitors, records, BATCH)
        return sum(
            remover.remove(session, site_id, Rule.ERASURE, "Request of the visitor", ranges(i for _, i in leaves), now)
            for site_id, leaves in groupby(found, key=itemgetter(0))
        )
