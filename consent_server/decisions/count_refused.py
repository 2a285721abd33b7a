"""Count posts that were refused, so that whoever can mend it learns of it."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime

from consent_server.core.database import Database
from consent_server.core.errors import StorageUnavailable
from consent_server.core.measures import UNKNOWN_SITES
from consent_server.core.times import local_day
from consent_server.decisions import store_refused as refused
from consent_server.decisions.rules_refused import OTHERS, named_origin
from consent_server.sites.current_site import CurrentSite

# So many reasons and origins of a site's day are told apart until they are written.
HELD = 100


class RefusedPosts:
    """Counts in memory and writes a moment later: a flood of refused posts costs no transaction each.

    Nothing of a visitor is counted. What a process had not written when it was killed is lost, a few seconds' worth.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._mutex = threading.Lock()
        self._held: dict[tuple[int, date], Counter[tuple[str, str]]] = {}

    def count(self, current: CurrentSite | None, reason: str, origin: str | None) -> None:
        """Count one; `reason` is the name of a problem's page, `origin` the header's value."""
        if current is None:
            # Of a site that is not there, only how many: its key is whatever a caller wrote.
            UNKNOWN_SITES.inc()
            return
        with self._mutex:
            day = local_day(self._now(), current.site.time_zone)
            counts = self._held.setdefault((current.site_id, day), Counter())
            key = (reason, named_origin(origin))
            counts[key if key in counts or len(counts) < HELD else (reason, OTHERS)] += 1

    def try_write(self) -> None:
        """Write if the database lets us now: for who reads the counters in this process."""
        with suppress(StorageUnavailable):
            self.write()

    def write(self) -> None:
        """Make what was counted durable, and seen by every process. Raises StorageUnavailable; it is kept then."""
        with self._mutex:
            held, self._held = self._held, {}
        if not held:
            return
        try:
            with self._database.transaction() as session:
                # In a fixed order, so that two writers never wait for each other in a ring.
                for (site_id, day), counts in sorted(held.items()):
                    refused.add(session, site_id, day, counts)
        except BaseException:
            with self._mutex:
                for place, counts in held.items():
                    self._held.setdefault(place, Counter()).update(counts)
            raise
