"""Runs migrations on the application's own engine: `flask --app wsgi db upgrade`."""

from alembic import context
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from consent_server.core.columns import Base
from consent_server.core.errors import UnsuitableDatabase

database = current_app.extensions["migrate"].db


def connected() -> Connection:
    """Raises CommandError, which the command says in words."""
    try:
        connection: Connection = database.engine.connect()
    except UnsuitableDatabase as refusal:
        raise CommandError(refusal.detail) from refusal
    except OperationalError as error:
        raise CommandError(f"The database of CONSENT_DATABASE_URL does not answer: {error.orig}") from error
    return connection


def run() -> None:
    """Apply the migrations in one transaction where the database can; both of ours can."""
    # The file lock and the pragmas of core/database.py are on this engine too: two processes that
    # migrate at the same time take turns, and the second finds nothing to do.
    with connected().execution_options(begin="BEGIN IMMEDIATE") as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()


run()
