"""Where a request comes from, as the operator's proxy says, and what a site shows there. Nobody looks up an address."""

from flask import request

from consent_server.core.context import context
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.rules_places import UNKNOWN, Place, parse_place

# The header in which nginx tells the place that its cache is keyed by (deploy/nginx).
KEYED_BY_PLACE = "X-Consent-Place"


def place_header() -> str | None:
    """The header that names the place, as the operator's proxy writes it."""
    return context().settings.country_header


def visitor_place() -> Place:
    """The place that the header of CONSENT_COUNTRY_HEADER names; unknown where no header is set. It is kept nowhere."""
    header = place_header()
    return parse_place(request.headers.get(header)) if header else UNKNOWN


def site_here(key: str) -> CurrentSite:
    """The site as the visitor at work sees it. Raises UnknownSite, StorageUnavailable."""
    return context()[CurrentSites].shown(key).at(visitor_place())
