"""What others look for at well-known addresses (RFC 8615): the published keys, and that GPC is honoured."""

from flask import Blueprint, Response

from consent_server.core.context import context
from consent_server.http.answers import DAY, Cache, answer, open_to_every_page

bp = Blueprint("well_known", __name__)
open_to_every_page(bp, "GET", headers=["Content-Type"], ask_again_after=DAY)


@bp.get("/.well-known/jwks.json")
def jwks() -> Response:
    """The public keys, retired ones included (RFC 7517)."""
    return answer(context().keys.ring.public_jwks(), "application/jwk-set+json", cache=Cache.MINUTES)


@bp.get("/.well-known/gpc.json")
def gpc() -> Response:
    """Says that Global Privacy Control is honoured (W3C GPC, section 4.1)."""
    return answer({"gpc": True, "lastUpdate": "2026-11-23"})
