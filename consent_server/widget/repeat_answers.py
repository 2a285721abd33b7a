"""Answers about a site that are the same for whoever asks in the same words, given again without being made again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from werkzeug.http import http_date

from consent_server.core.context import context_of
from consent_server.core.errors import Refusal
from consent_server.sites.current_site import CurrentSite, CurrentSites

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# All that such an answer depends on, beside the site as it is and, where that has regions, the place.
WORDS = ("PATH_INFO", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE", "HTTP_IF_NONE_MATCH")
# What few send, and might want another answer with.
UNUSUAL = frozenset(
    {"HTTP_IF_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE", "HTTP_RANGE",
     "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK"}
)  # fmt: skip
# Asks for another language, or is another each time, as those add it who want to pass by a cache.
QUERY = "QUERY_STRING"
MOST = 4096
_MADE_OF = "consent.made_of"


def may_be_repeated(current: CurrentSite) -> None:
    """Say that the answer to the request at work is made of this site and of `WORDS` alone, for as long as it is so."""
    request.environ[_MADE_OF] = current


@dataclass(frozen=True, slots=True)
class _Answer:
    current: CurrentSite
    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class RepeatAnswers:
    """In front of an application (PEP 3333): whatever is unusual or new goes to it, and what it says is kept.

    Nothing is made here, so that no two ways have to agree. Words are kept as a hash of this process.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._make: WSGIApplication = app.wsgi_app
        self._sites = context_of(app)[CurrentSites]
        header = context_of(app).settings.country_header
        self._place = "HTTP_" + header.upper().replace("-", "_") if header else None
        self._kept: dict[int, _Answer] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """The answer, kept or made."""
        if (
            environ["REQUEST_METHOD"] != "GET"
            or environ.get(QUERY)
            or not UNUSUAL.isdisjoint(environ)
            or "traces" in self._app.extensions
        ):
            return self._make(environ, start_response)
        words = hash(tuple([environ.get(name) for name in WORDS]))
        kept = self._kept.get(words)
        if kept is not None and self._place and kept.current.site.regions:
            words = hash((words, environ.get(self._place)))
            kept = self._kept.get(words)
        if kept is None or not self._is_so(kept.current):
            return self._ask(words, environ, start_response)
        start_response(kept.status, [(name, value or http_date()) for name, value in kept.headers])
        return [kept.body]

    def _is_so(self, current: CurrentSite) -> bool:
        try:
            return self._sites.get(current.site.key) is current
        except Refusal:
            return False

    def _ask(self, words: int, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        said: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            said[:] = status, headers
            return start_response(status, headers, *more)

        chunks = self._make(environ, start)
        current = environ.get(_MADE_OF)
        if current is None:
            return chunks
        try:
            body = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        if len(self._kept) >= MOST:
            self._kept.clear()
        status, headers = said
        # Without a value is what is another one each time.
        undated = tuple((name, "" if name == "Date" else value) for name, value in headers)
        self._kept[words] = _Answer(current, status, undated, body)
        return [body]
