"""The one way in which this server asks others: a bounded POST to an address that the operator set."""

import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

# Seconds without a byte, and seconds for the whole answer: a host that sends one byte a while gains nothing.
TIMEOUT = 10
LONGEST = 30
CHUNK = 64 * 1024


class Unanswered(Exception):
    """Nobody answered, or not in time, or too much; the text says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host said. `content_type` is in lower case and without parameters; any status is an answer."""

    status: int
    content_type: str
    body: bytes


class _NoRedirect(HTTPRedirectHandler):
    # The operator named this address, and nobody else may choose where the bytes go.
    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = build_opener(_NoRedirect)


def post(url: str, body: bytes, content_type: str, most: int) -> Answer:
    """POST, and read an answer of at most `most` bytes. A redirect is an answer like another, never followed.

    Call it with no transaction open: it may last half a minute. Raises Unanswered.
    """
    headers = {"Content-Type": content_type, "User-Agent": "consent-server"}
    request = Request(url, body, headers, method="POST")  # noqa: S310  settings take http and https only
    deadline = time.monotonic() + LONGEST
    try:
        with _open(request) as response:
            return Answer(response.status, response.headers.get_content_type(), _read(response, most, deadline))
    except TimeoutError as error:
        raise Unanswered(f"it did not answer within {TIMEOUT} seconds") from error
    except URLError as error:
        raise Unanswered(f"it cannot be reached: {error.reason}") from error
    except (HTTPException, OSError) as error:
        raise Unanswered(f"the connection broke: {error!s:.100}") from error


def _open(request: Request) -> Any:
    try:
        return OPENER.open(request, timeout=TIMEOUT)
    except HTTPError as answer:
        return answer


def _read(response: HTTPResponse, most: int, deadline: float) -> bytes:
    body = b""
    while chunk := response.read1(CHUNK):
        body += chunk
        if len(body) > most:
            raise Unanswered(f"its answer is longer than {most} bytes")
        if time.monotonic() > deadline:
            raise Unanswered(f"its answer took longer than {LONGEST} seconds")
    if response.length:
        raise Unanswered("its answer was cut short")
    return body
