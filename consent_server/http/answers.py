"""What every answer says of itself: its type, who may keep it and for how long, and whose pages may read it."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, Response, json, request
from flask_cors.core import get_cors_options, set_cors_headers
from werkzeug.wrappers import Response as AnyResponse

R = TypeVar("R", bound=AnyResponse)

JSON = "application/json"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"
CSS = "text/css; charset=utf-8"
DAY = 86_400


class Cache(StrEnum):
    """Who may keep an answer, and for how long: the values of Cache-Control (RFC 9111, section 5.2.2, and RFC 8246)."""

    NO_STORE = "no-store"
    # No cache either, and proxies that look at this word alone are told that it is about one person.
    PRIVATE = "private, no-store"
    REVALIDATE = "no-cache"
    MINUTES = "public, max-age=300"
    # Five minutes; for a day longer the old one is shown while the new one is fetched.
    RENEWED = f"public, max-age=300, stale-while-revalidate={DAY}"
    # The same, kept by the visitor's own browser alone: where the visitor is decides what it is.
    OWN_RENEWED = f"private, max-age=300, stale-while-revalidate={DAY}"
    # Kept by it too, and asked for again before each use.
    OWN_REVALIDATE = "private, no-cache"
    # What is named by its hash, or stands in a ledger.
    IMMUTABLE = "public, max-age=31536000, immutable"


def answer(
    body: Mapping[str, Any] | str | bytes | Iterable[bytes],
    kind: str = JSON,
    status: int = 200,
    cache: Cache | None = None,
    etag: str | None = None,
    vary: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer; a mapping is sent as JSON. Without `cache`, caches do as they please (RFC 9111, section 4.2.2)."""
    sent = json.dumps(body) if isinstance(body, Mapping) else body
    return with_headers(Response(sent, status, content_type=kind), cache, etag, vary, headers)


def with_headers(
    response: R,
    cache: Cache | None = None,
    etag: str | None = None,
    vary: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> R:
    """The same for an answer that is there. Who has what `etag` names is told that it is still right (304)."""
    # Before Cache-Control: until nginx 1.23 X-Accel-Expires counts only where it comes first.
    if headers:
        response.headers.update(headers)
    if cache is not None:
        response.headers["Cache-Control"] = cache.value
    if vary:
        response.vary.update(vary)
    if etag is not None:
        response.set_etag(etag)
        # Without either there is nothing to compare, and who asks for the first time waits least.
        if "If-None-Match" in request.headers or "If-Match" in request.headers:
            response.make_conditional(request)
    return response


def open_to_every_page(
    pages: Blueprint,
    *methods: str,
    headers: Sequence[str] | str = "*",
    ask_again_after: int | None = None,
    readable: Sequence[str] = (),
) -> None:
    """Let pages of any origin read the answers: none of them depends on a cookie or a credential.

    `headers` is what a request may carry besides what needs no asking, and `ask_again_after` (seconds) how long a
    browser remembers what it was told (Fetch, section 3.3.3). `readable` are headers of the answer that a page may
    read beside the few that it always may.
    """
    given = {"allow_headers": headers, "max_age": ask_again_after, "expose_headers": [*readable]}
    options = get_cors_options(pages, {"origins": "*", "send_wildcard": True, "methods": list(methods), **given})
    always = {"Access-Control-Allow-Origin": "*"}
    always |= {"Access-Control-Expose-Headers": ", ".join(readable)} if readable else {}

    def open_up(response: Response) -> Response:
        # What depends on the request is in the answers to a browser that asks first.
        if request.method == "OPTIONS" or "Access-Control-Request-Private-Network" in request.headers:
            return set_cors_headers(response, options)
        response.headers.update(always)
        return response

    pages.after_request(open_up)
