"""Is the process alive, and can it do its work?"""

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from consent_server.core.context import context, context_of
from consent_server.decisions.record import RecordDecision
from consent_server.health.examine_front import describe_request
from consent_server.health.require_ready import Readiness
from consent_server.http.answers import answer

bp = Blueprint("health", __name__)


@bp.record_once
def keep_readiness(state: BlueprintSetupState) -> None:
    """One answer for all who ask at the same moment."""
    made_for = context_of(state.app)
    made_for.keep(Readiness(made_for.database, made_for[RecordDecision].failing))


@bp.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return answer({"status": "ok", **describe_request(context(), request)})


@bp.get("/readyz")
def readyz() -> Response:
    """The database has every migration, and takes what is written."""
    return answer({"status": "ready", "migration": context()[Readiness].require()})
