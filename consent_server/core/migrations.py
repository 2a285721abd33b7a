"""Whether the database has every migration that this version brings."""

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app

from consent_server.core.database import VISITOR, Database
from consent_server.core.errors import StorageUnavailable


def known_migrations() -> list[str]:
    """All that this version brings, the newest first."""
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    return [script.revision for script in scripts.walk_revisions()]


def require_migrated(database: Database) -> str | None:
    """The newest migration, which is applied. Raises StorageUnavailable when it is not, or nothing answers."""
    with database.reading(VISITOR) as session:
        applied = MigrationContext.configure(session.connection()).get_current_revision()
    if applied != ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head():
        raise StorageUnavailable("The database is missing migrations. Run: flask --app wsgi db upgrade")
    return applied
