"""Tell what a site declares now, and how that came about: every notice that was in force, with what it changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from consent_server.core.database import Database
from consent_server.sites import store_notices as notices
from consent_server.sites.current_site import CurrentSite
from consent_server.sites.rules_changes import Change, changes


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
        self._known: dict[tuple[str, str, str], tuple[Change, ...]] = {}
        self._told: dict[tuple[str, str], tuple[CurrentSite, list[Version]]] = {}

    def __call__(self, current: CurrentSite, language: str) -> list[Version]:
        """All versions of a site's notice, newest first. The same as long as the site is: then nothing is read."""
        site, versions = self._told.get((current.site.key, language), (None, []))
        if site is not current:
            versions = self._read(current, language)
            self._told[current.site.key, language] = current, versions
        return versions

    def _read(self, current: CurrentSite, language: str) -> list[Version]:
        with self._database.reading() as session:
            own = notices.publications(session, current.site_id, own=True)
            published = [(one.notice, one.published_at) for one in own]

            # Bodies are large: of neighbours, each is read once and let go.
            @lru_cache(maxsize=2)
            def body(notice: str) -> Mapping[str, Any]:
                found: Mapping[str, Any] = json.loads(notices.body(session, notice))
                return found

            later = []
            for (before, _), (notice, since) in pairwise(published):
                pair = before, notice, language
                # Two at once find the same.
                if pair not in self._known:
                    self._known[pair] = changes(body(before), body(notice), language)
                later.append(Version(notice, since, self._known[pair]))
        return [*reversed(later), *(Version(*one) for one in published[:1])]
