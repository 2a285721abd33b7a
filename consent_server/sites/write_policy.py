"""Write the Content-Security-Policy that a site's pages need, from the catalogue."""

from urllib.parse import urlsplit

from consent_server.core.database import Database
from consent_server.sites import catalogue
from consent_server.sites import store as sites
from consent_server.sites import store_notices as notices
from consent_server.sites.rules_csp import Need, policy_lines, widget_need


def write_policy(database: Database, key: str, public_url: str, report: bool) -> list[str]:
    """A header and what it is made of, line by line; with `report` it only reports. Raises UnknownSite."""
    with database.reading() as session:
        stored = sites.get(session, key)
        shown = notices.in_force(session, stored.id)
    parts = urlsplit(public_url)
    logo = shown.notice.body.get("logo", {}).get("url", "") if shown else ""
    known = catalogue.vendors()
    vendors = [Need(tag.vendor, known.get(tag.vendor, {}).get("csp")) for tag in stored.site.tags]
    return list(policy_lines([widget_need(f"{parts.scheme}://{parts.netloc}", logo), *vendors], report))
