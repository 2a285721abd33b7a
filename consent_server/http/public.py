"""What all public routes share: limits, body checks, the site of the address, receipt links and the choice's cookie."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Response, request
from marshmallow import Schema
from werkzeug.datastructures import LanguageAccept

from consent_server.core.context import services
from consent_server.core.errors import (
    BodyTooLarge,
    ForeignOrigin,
    RemovedReceipt,
    UnknownReceipt,
    UnsupportedContentType,
)
from consent_server.decisions.rules_device import device_class
from consent_server.decisions.rules_robots import is_prefetch, is_robot
from consent_server.decisions.rules_tally import PREFETCH, ROBOT
from consent_server.decisions.rules_visit import Visit, country_code
from consent_server.http.schemas import read_body
from consent_server.sites.current_site import CurrentSite
from consent_server.sites.rules_cookie import NAME, below
from consent_server.sites.rules_notice import Notice

BODY_LIMIT = 8 * 1024
# text/plain because a browser sends it across origins without asking first (no preflight).
BODY_TYPES = ("application/json", "text/plain")


def posted(schema: Schema, key: str) -> tuple[CurrentSite, Any]:
    """The site of the address and the posted body, after every check that needs no database write."""
    current = services().sites.get(key)
    if not current.site.admits(request.headers.get("Origin")):
        raise ForeignOrigin(
            "The Origin header names no origin of this site. Add it to `origins` in the site file if it is yours."
        )
    return current, read_body(schema, posted_bytes())


def visit() -> Visit:
    """What is counted of a request. The headers read here are reduced to three words and forgotten."""
    headers, country_header = request.headers, services().settings.country_header
    agent = headers.get("User-Agent", "")
    return Visit(
        device_class(headers.get("Sec-CH-UA-Mobile"), agent),
        country_code(headers.get(country_header)) if country_header else "",
        PREFETCH if is_prefetch(headers.get) else ROBOT if is_robot(agent) else None,
    )


def posted_bytes(limit: int = BODY_LIMIT) -> bytes:
    """The request body, of a type and size that is read here."""
    if request.mimetype not in BODY_TYPES:
        raise UnsupportedContentType(f"Send {' or '.join(BODY_TYPES)}, holding JSON.")
    if (request.content_length or 0) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes.")
    # One byte more than allowed is enough to see that a body without a length is too long.
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes.")
    return body


def wished_language(current: CurrentSite) -> str:
    """The language to show a site's notice in: `lang` of the query, else the browser's, else the site's default."""
    languages = current.notice.languages
    asked = request.args.get("lang", "").lower()
    for language in (asked, asked.partition("-")[0]):
        if language in languages:
            return language
    # "*" prefers nothing: it is not a wish for whatever language comes first.
    wished = LanguageAccept([entry for entry in request.accept_languages if entry[0] != "*"])
    return wished.best_match(languages, current.site.default_language)


@contextmanager
def of_link(link: str) -> Iterator[str]:
    """The receipt id of a signed link. Raises UnknownReceipt for a wrong one.

    A link is signed when its record is on record: what is not found by it was removed (RemovedReceipt).
    """
    receipt_id = services().receipt_links.read(link)
    if receipt_id is None:
        raise UnknownReceipt("There is no receipt at this address. Check that the link is complete.")
    try:
        yield receipt_id
    except UnknownReceipt:
        raise RemovedReceipt(
            "The record of this receipt was removed: it was erased, or its retention ended. Who kept the receipt can"
            " still check its signature with the published keys."
        ) from None


def set_choice(response: Response, notice: Notice, page: str, value: str, lifetime: timedelta) -> None:
    """Set the cookie of the choice, where this server is on the site's own host, which `page` is an address on."""
    domain = notice.body.get("cookie_domain")
    if domain is not None and not below(urlsplit(page).hostname or "", domain):
        domain = None
    if domain is not None:
        # One from before there was a domain would hide the other.
        response.delete_cookie(NAME, path="/", secure=request.is_secure, samesite="Lax")
    # Safari forgets cookies written by script after 7 days; one set by the site's own host it keeps.
    response.set_cookie(
        NAME, value, int(lifetime.total_seconds()), path="/", domain=domain, secure=request.is_secure, samesite="Lax"
    )
