"""What a site asks now, for any page."""

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from flask_cors import CORS

from consent_server.core.context import context, context_of
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.read_archive import read_notice_bytes

bp = Blueprint("sites", __name__)
CORS(bp, origins="*", send_wildcard=True, methods=["GET"], max_age=86400)


@bp.record_once
def keep_sites(state: BlueprintSetupState) -> None:
    """What each site shows now is looked up once for all who ask."""
    made_for = context_of(state.app)
    made_for.keep(CurrentSites(made_for.database, made_for.now))


@bp.get("/v1/sites/<key>/notice")
def current_notice(key: str) -> Response:
    """The notice in force."""
    notice_hash = context()[CurrentSites].get(key).notice.hash
    response = Response(read_notice_bytes(context().database, notice_hash), mimetype="application/json")
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(notice_hash)
    response.make_conditional(request)
    return response
