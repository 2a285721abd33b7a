"""What all public routes share: limits, body checks, and the site of the address."""

from typing import Any

from flask import request
from marshmallow import Schema
from werkzeug.datastructures import LanguageAccept

from consent_server.domain.device import device_class
from consent_server.domain.errors import BodyTooLarge, ForeignOrigin, UnsupportedContentType
from consent_server.domain.robots import is_prefetch, is_robot
from consent_server.domain.tally import PREFETCH, ROBOT
from consent_server.domain.visit import Visit, country_code
from consent_server.extensions import services
from consent_server.usecases.current_site import CurrentSite
from consent_server.web.schemas import read_body

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
