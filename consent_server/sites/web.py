"""What a site asks now, for any page."""

from flask import Blueprint, Response
from flask.blueprints import BlueprintSetupState

from consent_server.core.context import context, context_of
from consent_server.http.answers import DAY, JSON, Cache, answer, open_to_every_page
from consent_server.sites.current_site import CurrentSites

bp = Blueprint("sites", __name__)
open_to_every_page(bp, "GET", headers=["Content-Type"], ask_again_after=DAY)


@bp.record_once
def keep_sites(state: BlueprintSetupState) -> None:
    """What each site shows now is looked up once for all who ask."""
    made_for = context_of(state.app)
    made_for.keep(CurrentSites(made_for.database, made_for.settings.public_url, made_for.now))


@bp.get("/v1/sites/<key>/notice")
def current_notice(key: str) -> Response:
    """The notice in force."""
    current = context()[CurrentSites]
    notice_hash = current.shown(key).notice.hash
    return answer(current.body(notice_hash), JSON, cache=Cache.REVALIDATE, etag=notice_hash)
