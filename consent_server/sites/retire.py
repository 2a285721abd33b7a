"""Retire a site: no visitor is asked any more, and what was recorded stays."""

from dataclasses import replace
from datetime import datetime

from consent_server.core.database import Database
from consent_server.sites import store as sites
from consent_server.sites import store_changes as changes
from consent_server.sites import store_experiments as experiments


def retire_site(database: Database, key: str, now: datetime) -> None:
    """End what runs on a site, and show it no more; applying its file brings it back. Raises UnknownSite."""
    with database.transaction() as session:
        stored = sites.get(session, key)
        sites.hold(session, key)
        experiments.end(session, stored.id, now)
        sites.save(session, replace(stored.site, retired=True))
        changes.record(session)
