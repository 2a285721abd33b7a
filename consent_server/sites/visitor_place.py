"""Where a request comes from, as the operator's proxy says. Nobody looks up an address."""

from flask import request

from consent_server.core.context import context
from consent_server.sites.rules_places import UNKNOWN, Place, parse_place


def visitor_place() -> Place:
    """The place that the header of CONSENT_COUNTRY_HEADER names; unknown where no header is set."""
    header = context().settings.country_header
    return parse_place(request.headers.get(header)) if header else UNKNOWN
