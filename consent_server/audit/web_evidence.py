"""Evidence packs over HTTP, for auditors and operators."""

from itertools import chain

from flask import Blueprint, Response, request

from consent_server.access.guard import caller
from consent_server.access.log_lookup import log_lookup
from consent_server.audit.export import export_evidence
from consent_server.audit.queries import SPAN, read_span, saved_as, without_limit
from consent_server.core.context import context
from consent_server.http.answers import Cache, answer
from consent_server.sites.current_site import CurrentSites

bp = Blueprint("evidence", __name__)


@bp.get("/v1/sites/<key>/evidence")
def evidence(key: str) -> Response:
    """A pack of the records sealed in a span, streamed."""
    ctx = context()
    current = ctx[CurrentSites].get(key)
    span = read_span(SPAN, request.args, current.site.time_zone)
    log_lookup(ctx.database, caller(), current.site_id, "evidence", without_limit(request.args), ctx.now())
    pieces = export_evidence(
        ctx.database, ctx.keys.ring, ctx.settings.public_url, ctx.now, key, span["since"], span["before"]
    )
    # Sealing and the first reads happen before the answer begins: what they refuse is still a problem document.
    name = saved_as("evidence", key, request.args, ctx.now(), "zip")
    response = answer(chain([next(pieces)], pieces), "application/zip", cache=Cache.NO_STORE, headers=name)
    response.call_on_close(pieces.close)
    return response
