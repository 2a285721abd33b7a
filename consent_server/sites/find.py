"""Find sites by their key, for those who look at more than what a site shows now."""

from consent_server.core.database import Database
from consent_server.sites import store as sites
from consent_server.sites import store_notices as notices
from consent_server.sites.rules_site import Site, StoredSite


def find_site(database: Database, key: str) -> StoredSite:
    """Raises UnknownSite."""
    with database.reading() as session:
        return sites.get(session, key)


def list_sites(database: Database) -> list[StoredSite]:
    """All sites, by key."""
    with database.reading() as session:
        return sites.every(session)


def list_site_keys(database: Database) -> list[str]:
    """The keys of all sites, in order, without what they ask."""
    with database.reading() as session:
        return sites.keys(session)


def list_notices_in_force(database: Database) -> list[tuple[Site, str | None]]:
    """All sites, by key, with the hash of what each shows; None before its first notice."""
    with database.reading() as session:
        shown = [(stored.site, notices.in_force(session, stored.id)) for stored in sites.every(session)]
        return [(site, notice.notice.hash if notice else None) for site, notice in shown]
