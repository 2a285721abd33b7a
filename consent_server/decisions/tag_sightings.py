"""Remember where a site's tag was seen, so that an operator learns that it is there, or is gone."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from consent_server.core.database import Database
from consent_server.core.errors import StorageUnavailable
from consent_server.decisions import store_sightings as sightings
from consent_server.decisions.rules_sightings import KEPT, Sighting
from consent_server.sites.current_site import CurrentSite


class TagSightings:
    """Notes in memory and writes a moment later. What cannot be written is forgotten: the next page is seen too."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._mutex = threading.Lock()
        self._held: dict[int, dict[str, datetime]] = {}

    def note(self, current: CurrentSite, origin: str) -> None:
        """A page of this origin has shown the site's banner or sent what was answered."""
        with self._mutex:
            seen = self._held.setdefault(current.site_id, {})
            if origin in seen or len(seen) < KEPT:
                seen[origin] = self._now()

    def write(self) -> None:
        """Make what was noted durable. Raises StorageUnavailable."""
        with self._mutex:
            held, self._held = self._held, {}
        if held:
            with self._database.transaction() as session:
                for site_id, seen in sorted(held.items()):
                    sightings.keep(session, site_id, seen)

    def newest(self, site_id: int) -> Sighting | None:
        """Where the tag of a site was seen last, by any process; None where it never was."""
        with suppress(StorageUnavailable):
            self.write()
        with self._database.reading() as session:
            return sightings.newest(session, site_id)
