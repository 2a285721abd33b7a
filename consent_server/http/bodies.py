"""A request body of a type and a size that is read here."""

from flask import request

from consent_server.core.errors import BodyTooLarge, UnsupportedContentType

BODY_LIMIT = 8 * 1024


# text/plain because a browser sends it across origins without asking first (no preflight).
BODY_TYPES = ("application/json", "text/plain")
# As browsers spell them: any other spelling is read part by part.
USUAL_TYPES = frozenset([*BODY_TYPES, "text/plain;charset=UTF-8"])


def posted_bytes(limit: int = BODY_LIMIT) -> bytes:
    """The request body, of a type and size that is read here."""
    if request.content_type not in USUAL_TYPES and request.mimetype not in BODY_TYPES:
        raise UnsupportedContentType(f"Send JSON as {' or '.join(BODY_TYPES)}.")
    if (request.content_length or 0) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes.")
    # One byte more than allowed is enough to see that a body without a length is too long.
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes.")
    return body
