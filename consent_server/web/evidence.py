"""Evidence packs over HTTP, for auditors and operators."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, request

from consent_server.domain.errors import Fault, MalformedBody
from consent_server.domain.roles import Role
from consent_server.extensions import services
from consent_server.usecases.export_evidence import export_evidence
from consent_server.usecases.log_lookup import log_lookup
from consent_server.web.auth import caller, needs

bp = Blueprint("evidence", __name__)


@bp.get("/v1/sites/<key>/evidence")
@needs(Role.AUDITOR)
def evidence(key: str) -> Response:
    """A pack of the records sealed in a span of days (UTC), streamed. `to` is the last day, included."""
    since, until = _day("from"), _day("to")
    if since and until and since > until:
        raise MalformedBody("These days are no span.", [Fault("#/to", "Must not be before from.")])
    our = services()
    site_id = our.sites.get(key).site_id
    log_lookup(our.database, caller(), site_id, "evidence", dict(request.args), our.now())
    pieces = export_evidence(
        our.database,
        our.keys.ring,
        our.settings.public_url,
        our.now,
        key,
        since,
        until + timedelta(days=1) if until else None,
    )
    response = Response(pieces, mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="evidence-{key}.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _day(name: str) -> datetime | None:
    value = request.args.get(name)
    if not value:
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise MalformedBody(
            "A day cannot be read.", [Fault(f"#/{name}", "Must be a day such as 2026-11-23.")]
        ) from None
