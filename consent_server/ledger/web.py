"""The public ledger: checkpoints, tiles and consistency proofs, for anyone."""

from flask import Blueprint, Response, json, request
from marshmallow import Schema

from consent_server.core.context import context
from consent_server.core.errors import InvalidProof, UnknownTile
from consent_server.core.times import rfc3339
from consent_server.http.answers import TEXT, Cache, answer, open_to_every_page
from consent_server.http.fields import LARGEST_SIZE, LONGEST_PAGE, Number, read_query
from consent_server.ledger import read as read_ledger
from consent_server.ledger.rules import parse_tile_path
from consent_server.ledger.rules_witness import CosignedCheckpoint
from consent_server.sites.current_site import CurrentSites

bp = Blueprint("ledger", __name__, url_prefix="/ledger/<key>")
open_to_every_page(bp, "GET")


@bp.get("/checkpoint")
def checkpoint(key: str) -> Response:
    """The newest checkpoint, a signed note, with witnesses' lines under the ledger's own."""
    note = read_ledger.read_checkpoint(context().database, context()[CurrentSites].get(key).site_id)
    return answer(note, TEXT, cache=Cache.NO_STORE)


@bp.get("/checkpoints")
def checkpoints(key: str) -> Response:
    """Checkpoints as JSON Lines, oldest first: what somebody outside appends to a file and keeps."""
    asked = read_query(CHECKPOINTS, request.args)
    after, limit = asked["after"], asked["limit"]
    page = read_ledger.read_checkpoints(context().database, context()[CurrentSites].get(key).site_id, after, limit)
    lines = "".join(map(_line, page.checkpoints))
    following = {"Link": f'<?after={page.checkpoints[-1].size}&limit={limit}>; rel="next"'} if page.more else {}
    # Witnesses sign after a checkpoint is made: the same line may have more signatures later.
    return answer(lines, "application/jsonl; charset=utf-8", cache=Cache.NO_STORE, headers=following)


@bp.get("/remarks")
def remarks(key: str) -> Response:
    """What the ledger says of itself in signed entries, oldest first."""
    entries = read_ledger.read_remarks(context().database, context()[CurrentSites].get(key).site_id)
    items = [{"leaf_index": index, "entry": entry, "salt": salt.hex()} for index, entry, salt in entries]
    return answer({"items": items}, cache=Cache.NO_STORE)


@bp.get("/<path:path>")
def tile(key: str, path: str) -> Response:
    """A tile (C2SP tlog-tiles)."""
    try:
        wanted = parse_tile_path(path)
    except InvalidProof as error:
        raise UnknownTile(error.detail) from error
    hashes = read_ledger.read_tile(context().database, context()[CurrentSites].get(key).site_id, wanted)
    return answer(hashes, "application/octet-stream", cache=Cache.IMMUTABLE)


@bp.get("/consistency")
def consistency(key: str) -> Response:
    """PROOF of RFC 6962 section 2.1.2 between two sizes."""
    asked = read_query(CONSISTENCY, request.args)
    old, new = asked["old"], asked["new"]
    site_id = context()[CurrentSites].get(key).site_id
    proof = read_ledger.consistency_proof(context().database, site_id, old, new)
    return answer({"from": old, "to": new, "hashes": [value.hex() for value in proof]})


def _line(checkpoint: CosignedCheckpoint) -> str:
    sealed_at = rfc3339(checkpoint.sealed_at)
    line = {"size": checkpoint.size, "sealed_at": sealed_at, "note": checkpoint.note}
    return json.dumps(line) + "\n"


class CheckpointsQuery(Schema):
    """What GET /ledger/…/checkpoints takes."""

    after = Number(0, LARGEST_SIZE, load_default=0)
    limit = Number(1, LONGEST_PAGE, load_default=LONGEST_PAGE)


class ConsistencyQuery(Schema):
    """What GET /ledger/…/consistency takes."""

    old = Number(0, LARGEST_SIZE, data_key="from", required=True)
    new = Number(0, LARGEST_SIZE, data_key="to", required=True)


CHECKPOINTS = CheckpointsQuery()


CONSISTENCY = ConsistencyQuery()
