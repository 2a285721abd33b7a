"""Tell what a site declares now, and how that came about: every notice that was in force, with what it changed."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from consent_server.domain.changes import Change, changes
from consent_server.storage import notices
from consent_server.storage.session import Database
from consent_server.usecases.current_site import CurrentSite


@dataclass(frozen=True, slots=True)
class Version:
    """A notice that came into force; `changes` are those from the one before, and none for a site's first."""

    notice: str
    since: datetime
    changes: tuple[Change, ...] = ()


class DeclareSite:
    """Compares notices once: what they differ in never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, str], tuple[Change, ...]] = {}

    def __call__(self, current: CurrentSite, language: str) -> list[Version]:
        """All versions of a site's notice, newest first."""
        with self._database.reading() as session:
            published = list(notices.publications(session, current.site_id))
        self._compare([notice for notice, _ in published], language)
        first = [Version(*one) for one in published[:1]]
        later = [
            Version(notice, since, self._known[before, notice, language])
            for (before, _), (notice, since) in pairwise(published)
        ]
        return [*reversed(later), *first]

    def _compare(self, published: Sequence[str], language: str) -> None:
        with self._lock, self._database.reading() as session:
            for before, after in pairwise(published):
                if (before, after, language) not in self._known:
                    older, newer = (json.loads(notices.body(session, one)) for one in (before, after))
                    self._known[before, after, language] = changes(older, newer, language)
