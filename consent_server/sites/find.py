"""Find sites by their key, for those who look at more than what a site shows now."""

from consent_server.core.database import Database
from consent_server.sites import store as sites
from consent_server.sites.store import StoredSite


def find_site(database: Database, key: str) -> StoredSite:
    """Raises UnknownSite."""
    with database.reading() as session:
        return sites.get(session, key)


def list_sites(database: Database) -> list[StoredSite]:
    """All sites, by key."""
    with database.reading() as session:
        return sites.every(session)
