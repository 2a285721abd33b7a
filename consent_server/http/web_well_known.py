"""What others look for at well-known addresses (RFC 8615): the published keys, and that GPC is honoured."""

from flask import Blueprint, Response, json
from flask_cors import CORS

from consent_server.core.context import context

bp = Blueprint("well_known", __name__)
CORS(bp, origins="*", send_wildcard=True, methods=["GET"], max_age=86400)


@bp.get("/.well-known/jwks.json")
def jwks() -> Response:
    """The public keys, retired ones included (RFC 7517)."""
    response = Response(json.dumps(context().keys.ring.public_jwks()), mimetype="application/jwk-set+json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@bp.get("/.well-known/gpc.json")
def gpc() -> Response:
    """Says that Global Privacy Control is honoured (W3C GPC, section 4.1)."""
    return Response(json.dumps({"gpc": True, "lastUpdate": "2026-11-23"}), mimetype="application/json")
