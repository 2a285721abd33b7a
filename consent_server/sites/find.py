"""Find sites by their key, for those who look at more than what a site shows now."""

from consent_server.core.database import Database, Session
from consent_server.sites import store as sites
from consent_server.sites import store_notices as notices
from consent_server.sites.notice_titles import notice_titles
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


def list_notices_in_force(database: Database) -> list[tuple[Site, str | None, str | None]]:
    """All sites, by key, with the hash of what each shows and what that is called; None before its first notice."""
    with database.reading() as session:
        return [(stored.site, *_in_force(session, stored.id)) for stored in sites.every(session)]


def find_notice_in_force(database: Database, site_id: int) -> tuple[str | None, str | None]:
    """The hash of what a site shows where no region has another, and what that is called; None before its first."""
    with database.reading() as session:
        return _in_force(session, site_id)


def _in_force(session: Session, site_id: int) -> tuple[str | None, str | None]:
    in_force = notices.in_force(session, site_id)
    return (in_force.notice.hash, notice_titles(session, site_id)[in_force.notice.hash]) if in_force else (None, None)
