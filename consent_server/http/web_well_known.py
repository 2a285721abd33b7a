"""What others look for at well-known addresses (RFC 8615): the published keys, GPC, and whom to tell of a hole."""

from datetime import timedelta

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from consent_server.core.context import context
from consent_server.http.answers import DAY, TEXT, Cache, answer, open_to_every_page

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


# RFC 9116, section 2.5.5: less than a year ahead. Made anew with each answer, so that it never runs out by itself.
STANDS_FOR = timedelta(days=180)


@bp.get("/.well-known/security.txt")
def security() -> Response:
    """Whom to tell of a hole (RFC 9116), where the settings name somebody."""
    ctx = context()
    if ctx.settings.security_contact is None:
        raise NotFound
    text = (
        f"Contact: {ctx.settings.security_contact}\n"
        f"Expires: {ctx.now() + STANDS_FOR:%Y-%m-%dT00:00:00Z}\n"
        "Preferred-Languages: en\n"
        f"Canonical: {ctx.settings.public_url}/.well-known/security.txt\n"
    )
    return answer(text, TEXT, cache=Cache.REVALIDATE)
