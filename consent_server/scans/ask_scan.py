"""Have a site scanned by its server: now, or again when the last time is long ago."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from consent_server.core.database import Database
from consent_server.core.errors import InvalidQuery
from consent_server.health.examine import home_page
from consent_server.health.fetch_page import origin_of
from consent_server.scans import store as scans
from consent_server.scans.rules_kept import KeptScan
from consent_server.sites import store as sites
from consent_server.sites.find import find_site
from consent_server.sites.rules_site import Site


def ask_scan(database: Database, key: str, url: str, who: str | None, now: datetime) -> int | None:
    """The number of the scan to come; None where one is still to be made. Raises UnknownSite, InvalidQuery."""
    stored = find_site(database, key)
    if not is_of(url, stored.site):
        raise InvalidQuery(f"The start page must be on one of the site's origins: {', '.join(stored.site.origins)}")
    with database.transaction() as session:
        return scans.ask(session, stored.id, url, who, now)


def is_of(url: str, site: Site) -> bool:
    """Whether an address is of the site."""
    try:
        return len(url) <= 2000 and site.admits(origin_of(url))
    except ValueError:
        return False


def ask_due(database: Database, now: datetime, every: timedelta) -> Sequence[str]:
    """Ask for what is due: the keys of sites that were not asked for since. They begin where they began last."""
    due = []
    with database.transaction() as session:
        asked = scans.last_asked(session)
        for stored in sites.every(session):
            at, url = asked.get(stored.id, (None, home_page(stored)))
            if stored.site.retired or url is None or (at and at > now - every):
                continue
            if is_of(url, stored.site) and scans.ask(session, stored.id, url, None, now) is not None:
                due.append(stored.site.key)
    return due


def list_scans(database: Database, key: str) -> list[KeptScan]:
    """All that are kept of a site, newest first. Raises UnknownSite."""
    with database.reading() as session:
        return scans.every(session, sites.get(session, key).id)


def last_scan(database: Database, key: str) -> KeptScan | None:
    """The newest of a site that has ended. Raises UnknownSite."""
    with database.reading() as session:
        return scans.last(session, sites.get(session, key).id)
