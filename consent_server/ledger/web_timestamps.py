"""What a timestamp authority said of a site's checkpoints, notices and widget code, for anyone."""

from typing import Any

from flask import Blueprint, Response, json, request
from flask_cors import CORS

from consent_server.core.context import services
from consent_server.core.errors import UnknownTimestamp
from consent_server.core.rows import TimestampRow
from consent_server.decisions.web import timestamp
from consent_server.http.queries import TIMESTAMPS, read_query
from consent_server.http.schemas import SHA256
from consent_server.ledger.read_timestamps import read_timestamp, read_timestamps
from consent_server.ledger.timestamping import REPLY_TYPE

bp = Blueprint("timestamps", __name__, url_prefix="/ledger/<key>/timestamps")
CORS(bp, origins="*", send_wildcard=True, methods=["GET"])


@bp.get("")
def listed(key: str) -> Response:
    """Timestamps, newest first."""
    asked = read_query(TIMESTAMPS, request.args)
    before, limit = asked["before"], asked["limit"]
    page = read_timestamps(services().database, services().sites.get(key).site_id, before, limit)
    address = f"{services().settings.public_url}/ledger/{key}/timestamps"
    following = f"{address}?before={page.timestamps[-1].id}&limit={limit}" if page.more else None
    body = {"items": [_item(row, address) for row in page.timestamps], "next": following}
    response = Response(json.dumps(body), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/<digest>.tsr")
def reply(key: str, digest: str) -> Response:
    """The authority's answer as it gave it (RFC 3161 section 3.4), by the SHA-256 that it is about."""
    site_id = services().sites.get(key).site_id
    if not SHA256.fullmatch(digest):
        raise UnknownTimestamp("A timestamp is named by 64 lower-case hex digits.")
    response = Response(read_timestamp(services().database, site_id, bytes.fromhex(digest)), mimetype=REPLY_TYPE)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _item(row: TimestampRow, address: str) -> dict[str, Any]:
    digest = row.digest.hex()
    at = timestamp(row.stamped_at)
    return {"kind": row.kind, "size": row.size, "digest": digest, "stamped_at": at, "url": f"{address}/{digest}.tsr"}
