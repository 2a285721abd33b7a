"""The public ledger: checkpoints, tiles and consistency proofs, for anyone."""

import re

from flask import Blueprint, Response, json, request
from flask_cors import CORS

from consent_server.domain.errors import InvalidProof, MalformedBody, UnknownTile
from consent_server.domain.ledger import parse_tile_path
from consent_server.extensions import services
from consent_server.usecases import read_ledger

bp = Blueprint("ledger", __name__, url_prefix="/ledger/<key>")
CORS(bp, origins="*", send_wildcard=True, methods=["GET"])


@bp.get("/checkpoint")
def checkpoint(key: str) -> Response:
    """The newest checkpoint, a signed note."""
    note = read_ledger.read_checkpoint(services().database, services().sites.get(key).site_id)
    response = Response(note, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/<path:path>")
def tile(key: str, path: str) -> Response:
    """A tile (C2SP tlog-tiles)."""
    try:
        wanted = parse_tile_path(path)
    except InvalidProof as error:
        raise UnknownTile(error.detail) from error
    hashes = read_ledger.read_tile(services().database, services().sites.get(key).site_id, wanted)
    response = Response(hashes, content_type="application/octet-stream")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@bp.get("/consistency")
def consistency(key: str) -> Response:
    """PROOF of RFC 6962 section 2.1.2 between two sizes."""
    old, new = _size("from"), _size("to")
    site_id = services().sites.get(key).site_id
    proof = read_ledger.consistency_proof(services().database, site_id, old, new)
    body = {"from": old, "to": new, "hashes": [value.hex() for value in proof]}
    return Response(json.dumps(body), mimetype="application/json")


def _size(name: str) -> int:
    value = request.args.get(name, "")
    if not re.fullmatch("0|[1-9][0-9]{0,18}", value):
        raise MalformedBody(f"{name} must be a plain decimal number.")
    return int(value)
