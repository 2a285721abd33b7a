"""Erase what identifies a visitor, and leave a signed entry that says so (GDPR 17)."""

import time
from collections.abc import Callable, Collection
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from consent_server.core.database import Database
from consent_server.core.errors import Refusal
from consent_server.core.keys import KeySource
from consent_server.decisions.forget_keys import forget_keys
from consent_server.ledger import store as ledgers
from consent_server.ledger.rules_removal import Rule
from consent_server.ledger.seal import refuse, seal_what_holds
from consent_server.ledger.store_sealing import take_turns
from consent_server.receipts import store as erasure_requests
from consent_server.receipts.remove_records import Remover, batch_size, give_way
from consent_server.receipts.store import OpenRequest

# Requests carried out together.
REQUESTS = 500


def erase_visitor(
    database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime], random: Callable[[int], bytes],
    visitor: UUID, progress: Callable[[int], None] = lambda _: None,
) -> int:  # fmt: skip
    """Remove every record of a visitor; return how many there were. `progress` is told of each batch how many it was.

    Raises StorageUnavailable when the records are gone and the files still hold copies of keys: run it again. A
    ledger that somebody changed keeps its records; InvalidProof names it once all others are done.
    """
    erasure = _Erasure(database, keys, public_url, now, random, progress)
    erasure.erase([visitor], [])
    return erasure.finish()


def erase_requested(
    database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime], random: Callable[[int], bytes],
    site_id: int | None, progress: Callable[[int], None] = lambda _: None,
) -> int:  # fmt: skip
    """Carry out every open request of a site, or of all; return how many records that removed.

    Their keys go from the files once for all of them. Raises StorageUnavailable and InvalidProof as `erase_visitor`.
    """
    erasure = _Erasure(database, keys, public_url, now, random, progress)
    with database.reading() as session:
        requests = list(erasure_requests.open_requests(session, site_id))
    for start in range(0, len(requests), REQUESTS):
        some = requests[start : start + REQUESTS]
        visitors = {request.visitor for request in some if request.visitor is not None}
        erasure.erase(visitors, [request.decision_row for request in some])
    return erasure.finish()


def erase_request(
    database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime], random: Callable[[int], bytes],
    request: OpenRequest,
) -> int:  # fmt: skip
    """Carry out one request; return how many records that removed. Raises as `erase_visitor`."""
    erasure = _Erasure(database, keys, public_url, now, random, lambda _: None)
    erasure.erase([] if request.visitor is None else [request.visitor], [request.decision_row])
    return erasure.finish()


class _Erasure:
    """One run: how many records went, and the sites whose ledger somebody changed, which keep theirs."""

    def __init__(
        self, database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime],
        random: Callable[[int], bytes], progress: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._database, self._keys, self._now, self._progress = database, keys, now, progress
        self._remover = Remover(keys.ring, public_url, random)
        self._erased, self._broken = 0, dict[int, Refusal]()

    def erase(self, visitors: Collection[UUID], records: Collection[int]) -> None:
        """Remove all records of these visitors, and these.

        Sealed before each removal, so that each record has a leaf that it can name; the last run seals the last
        removal and finds nothing left.
        """
        sites, batch = set[int](), 1
        while batch:
            with self._database.reading() as session:
                sites |= ledgers.sites_of(session, visitors, records)
            # The keys as of now: the server seals with a new one as soon as there is one.
            self._broken |= seal_what_holds(self._database, self._keys.ring, self._now, sites)[1]
            begun = time.monotonic()
            batch = self._erase_batch(sites - self._broken.keys(), visitors, records)
            self._erased += batch
            self._progress(batch)
            give_way(self._database, begun)

    def _erase_batch(self, sites: set[int], visitors: Collection[UUID], records: Collection[int]) -> int:
        with self._database.transaction() as session:
            # Before the leaves are chosen: another removal under way may be about to name the same ones.
            take_turns(session, sites)
            # Requested records last: a request goes with its record, and must outlast all others in a crash.
            chosen = ledgers.leaves_of(session, sites, visitors, records, batch_size(self._database))
            now, reason = self._now(), "Request of the visitor"
            return sum(
                self._remover.remove(session, site_id, Rule.ERASURE, reason, (index for _, index in leaves), now)
                for site_id, leaves in groupby(chosen, key=itemgetter(0))
            )

    def finish(self) -> int:
        """Let no file keep the destroyed keys, say which ledgers are broken, and return how many records went."""
        forget_keys(self._database)
        refuse(self._broken, f"{self._erased} removed elsewhere.")
        return self._erased
