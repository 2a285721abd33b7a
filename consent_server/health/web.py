"""Is the process alive, and can it do its work?"""

from flask import Blueprint, Response, json

from consent_server.core.context import context
from consent_server.core.migrations import require_migrated

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return Response(json.dumps({"status": "ok"}), mimetype="application/json")


@bp.get("/readyz")
def readyz() -> Response:
    """The database answers and has every migration."""
    applied = require_migrated(context().database)
    return Response(json.dumps({"status": "ready", "migration": applied}), mimetype="application/json")
