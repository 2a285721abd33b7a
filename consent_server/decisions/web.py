"""Public routes for visitors' browsers: decisions, banners shown, notices."""

from typing import Any

from flask import Blueprint, Response, json, request
from flask_cors import CORS

from consent_server.core.context import services
from consent_server.decisions.record import Recorded
from consent_server.decisions.rules import Answer
from consent_server.http.public import posted, set_choice, visit
from consent_server.http.rate_limit import limited
from consent_server.http.schemas import CONVERSIONS_IN, DECISION_IN, SHOWN_IN
from consent_server.sites.rules_cookie import cookie_value
from consent_server.sites.rules_notice import Notice
from consent_server.widget import web_notices as pages
from consent_server.widget.read_archive import read_notice_bytes, read_widget

bp = Blueprint("api", __name__)
# No route here reads a cookie or a credential, so any page may read the answers. Who may write is
# decided by the Origin header against the site's own list.
CORS(bp, origins="*", send_wildcard=True, methods=["GET", "POST"], allow_headers=["Content-Type"], max_age=86400)

IMMUTABLE = "public, max-age=31536000, immutable"


def timestamp(at: Any) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


@bp.post("/v1/sites/<key>/decisions")
@limited
def record_decision(key: str) -> Response:
    """Record a decision; answered after it is durable."""
    current, answer = posted(DECISION_IN, key)
    recorded = services().record_decision(current, answer, visit())
    response = Response(json.dumps(_recorded(answer, recorded)), 201 if recorded.new else 200)
    response.mimetype = "application/json"
    response.headers["Cache-Control"] = "no-store"
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        keep_choice(response, current.notice, recorded)
    return response


def _recorded(answer: Answer, recorded: Recorded) -> dict[str, Any]:
    link = services().receipt_links.sign(str(recorded.receipt_id))
    body: dict[str, Any] = {
        "decision_id": str(answer.decision_id),
        "receipt_id": str(recorded.receipt_id),
        "receipt": recorded.receipt,
        "receipt_url": f"{services().settings.public_url}/v1/receipts/{link}",
        "state": recorded.state,
        "visitor": str(recorded.visitor) if recorded.visitor else None,
        "recorded_at": timestamp(recorded.recorded_at),
        "expires_at": timestamp(recorded.expires_at),
    }
    return body | ({"stale": True} if recorded.stale else {})


def keep_choice(response: Response, notice: Notice, recorded: Recorded) -> None:
    """Keep the choice in the browser, on the host of the page that asked, whatever a proxy made of ours."""
    value = cookie_value(recorded.revision, recorded.decision, recorded.visitor, recorded.state, recorded.recorded_at)
    set_choice(response, notice, request.headers["Origin"], value, recorded.expires_at - recorded.recorded_at)


@bp.post("/v1/sites/<key>/shown")
@limited
def record_shown(key: str) -> Response:
    """Count a banner shown."""
    current, body = posted(SHOWN_IN, key)
    services().record_shown(current, body["notice"], body["language"], visit())
    return Response(status=204)


@bp.post("/v1/sites/<key>/conversions")
@limited
def record_conversions(key: str) -> Response:
    """Count a page's conversions by vendor: sent, or kept back by a denial."""
    current, body = posted(CONVERSIONS_IN, key)
    counts = {kind: body[kind] for kind in ("sent", "blocked")}
    services().record_conversions(current, body["notice"], body["language"], counts, visit())
    return Response(status=204)


@bp.get("/v1/sites/<key>/notice")
def current_notice(key: str) -> Response:
    """The notice in force."""
    response = _notice_bytes(services().sites.get(key).notice.hash)
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/v1/notices/<notice_hash>")
def notice(notice_hash: str) -> Response:
    """An archived notice: the very bytes whose SHA-256 is its name, or a page for who reads it."""
    if pages.wanted():
        return pages.page(notice_hash)
    response = _notice_bytes(notice_hash)
    response.vary.add("Accept")
    return response


def _notice_bytes(notice_hash: str) -> Response:
    response = Response(read_notice_bytes(services().database, notice_hash), mimetype="application/json")
    response.headers["Cache-Control"] = IMMUTABLE
    response.set_etag(notice_hash)
    response.make_conditional(request)
    return response


@bp.get("/v1/widgets/<widget_hash>")
def widget(widget_hash: str) -> Response:
    """Archived widget code: the very bytes whose SHA-256 receipts name."""
    response = Response(read_widget(services().database, widget_hash), mimetype="text/plain")
    response.headers["Cache-Control"] = IMMUTABLE
    return response


@bp.get("/.well-known/jwks.json")
def jwks() -> Response:
    """The public keys, retired ones included (RFC 7517)."""
    response = Response(json.dumps(services().keys.ring.public_jwks()), mimetype="application/jwk-set+json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@bp.get("/.well-known/gpc.json")
def gpc() -> Response:
    """Says that Global Privacy Control is honoured (W3C GPC, section 4.1)."""
    return Response(json.dumps({"gpc": True, "lastUpdate": "2026-11-23"}), mimetype="application/json")
