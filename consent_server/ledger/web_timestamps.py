"""What a timestamp authority said of a site's checkpoints, notices and widget code, for anyone."""

from typing import Any

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from marshmallow import Schema

from consent_server.core.context import context, context_of
from consent_server.core.errors import UnknownTimestamp
from consent_server.core.hashes import SHA256_HEX
from consent_server.core.times import rfc3339
from consent_server.http.answers import Cache, answer, open_to_every_page
from consent_server.http.fields import LARGEST_NUMBER, LONGEST_PAGE, Number, read_query
from consent_server.ledger.read_timestamps import ReadTimestamp, read_timestamp, read_timestamps
from consent_server.ledger.request_timestamps import Authority
from consent_server.ledger.rfc3161 import REPLY_TYPE
from consent_server.sites.current_site import CurrentSites

bp = Blueprint("timestamps", __name__, url_prefix="/ledger/<key>/timestamps")
open_to_every_page(bp, "GET")


@bp.record_once
def keep_authority(state: BlueprintSetupState) -> None:
    """There is one where the settings name it."""
    made_for = context_of(state.app)
    settings = made_for.settings
    if settings.timestamp_url is not None and settings.timestamp_roots is not None:
        made_for.keep(Authority(settings.timestamp_url, settings.timestamp_roots, settings.timestamp_seconds))


@bp.get("")
def listed(key: str) -> Response:
    """Timestamps, newest first."""
    asked = read_query(TIMESTAMPS, request.args)
    before, limit = asked["before"], asked["limit"]
    page = read_timestamps(context().database, context()[CurrentSites].get(key).site_id, before, limit)
    address = f"{context().settings.public_url}/ledger/{key}/timestamps"
    following = f"{address}?before={page.timestamps[-1].id}&limit={limit}" if page.more else None
    items = [_item(row, address) for row in page.timestamps]
    return answer({"items": items, "next": following}, cache=Cache.NO_STORE)


@bp.get("/<digest>.tsr")
def reply(key: str, digest: str) -> Response:
    """The authority's answer as it gave it (RFC 3161 section 3.4), by the SHA-256 that it is about."""
    site_id = context()[CurrentSites].get(key).site_id
    if not SHA256_HEX.fullmatch(digest):
        raise UnknownTimestamp("A timestamp is named by 64 lower-case hex digits.")
    return answer(read_timestamp(context().database, site_id, bytes.fromhex(digest)), REPLY_TYPE, cache=Cache.IMMUTABLE)


def _item(row: ReadTimestamp, address: str) -> dict[str, Any]:
    digest = row.digest.hex()
    at = rfc3339(row.stamped_at)
    return {"kind": row.kind, "size": row.size, "digest": digest, "stamped_at": at, "url": f"{address}/{digest}.tsr"}


class TimestampsQuery(Schema):
    """What GET /ledger/…/timestamps takes. `before` is the number that `next` of the page before names."""

    before = Number(1, LARGEST_NUMBER, load_default=None)
    limit = Number(1, LONGEST_PAGE, load_default=100)


TIMESTAMPS = TimestampsQuery()
