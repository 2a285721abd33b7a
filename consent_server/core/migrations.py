"""The migrations that this version brings: whether the database has them, and how it gets them."""

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
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
        raise StorageUnavailable("The database is missing migrations. Run: consent migrate")
    return applied


def migrate_database() -> str:
    """Bring the database of the application at work to this version; the newest migration.

    Who starts at the same time waits, and finds nothing to do (migrations/env.py). Raises StorageUnavailable.
    """
    migrate = current_app.extensions["migrate"]
    try:
        command.upgrade(migrate.migrate.get_config(migrate.directory), "head")
    except CommandError as error:
        raise StorageUnavailable(str(error)) from error
    return known_migrations()[0]
