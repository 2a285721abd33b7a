"""Is the process alive, and can it do its work?"""

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app, json

from consent_server.core.context import services
from consent_server.core.errors import StorageUnavailable

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return Response(json.dumps({"status": "ok"}), mimetype="application/json")


@bp.get("/readyz")
def readyz() -> Response:
    """The database answers and has every migration."""
    migrations = current_app.extensions["migrate"].directory
    with services().database.reading() as session:
        applied = MigrationContext.configure(session.connection()).get_current_revision()
    wanted = ScriptDirectory(migrations).get_current_head()
    if applied != wanted:
        raise StorageUnavailable("The database lacks migrations. Run: flask --app wsgi db upgrade")
    return Response(json.dumps({"status": "ready", "migration": applied}), mimetype="application/json")
