"""Is the process alive, and can it do its work?"""

from flask import Blueprint, Response

from consent_server.core.context import context
from consent_server.core.migrations import require_migrated
from consent_server.http.answers import answer

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return answer({"status": "ok"})


@bp.get("/readyz")
def readyz() -> Response:
    """The database answers and has every migration."""
    applied = require_migrated(context().database)
    return answer({"status": "ready", "migration": applied})
