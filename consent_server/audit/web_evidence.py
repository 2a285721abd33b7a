"""Evidence packs over HTTP, for auditors and operators."""

from itertools import chain

from flask import Blueprint, Response, request

from consent_server.access.log_lookup import log_lookup
from consent_server.access.rules import Role
from consent_server.access.web import caller, needs
from consent_server.audit.export import export_evidence
from consent_server.core.context import services
from consent_server.http.queries import SPAN, read_query, said

bp = Blueprint("evidence", __name__)


@bp.get("/v1/sites/<key>/evidence")
@needs(Role.AUDITOR)
def evidence(key: str) -> Response:
    """A pack of the records sealed in a span, streamed."""
    span, our = read_query(SPAN, request.args), services()
    site_id = our.sites.get(key).site_id
    log_lookup(our.database, caller(), site_id, "evidence", said(request.args), our.now())
    pieces = export_evidence(
        our.database, our.keys.ring, our.settings.public_url, our.now, key, span["since"], span["before"]
    )
    # Sealing and the first reads happen before the answer begins: what they refuse is still a problem document.
    response = Response(chain([next(pieces)], pieces), mimetype="application/zip")
    response.call_on_close(pieces.close)
    response.headers["Content-Disposition"] = f'attachment; filename="evidence-{key}.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response
