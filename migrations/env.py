"""Runs migrations on the application's own engine: `consent migrate`."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from alembic import context
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from consent_server.core.columns import Base
from consent_server.core.errors import UnsuitableDatabase
from consent_server.core.postgresql import allow_long_work, await_locks

database = current_app.extensions["migrate"].db


# Any number that nothing else of this database takes as an advisory lock: "consent" in ASCII.
LOCK = int.from_bytes(b"consent")


def connected() -> Connection:
    """Raises CommandError, which the command says in words."""
    try:
        connection: Connection = database.engine.connect()
    except UnsuitableDatabase as refusal:
        raise CommandError(refusal.detail) from refusal
    except DBAPIError as error:
        said = " ".join(str(error.orig).split())
        raise CommandError(f"The database of CONSENT_DATABASE_URL does not answer: {said}") from error
    return connection


@contextmanager
def alone() -> Iterator[Connection]:
    """A transaction in which nobody else migrates: who starts at the same time waits, and finds nothing to do."""
    with ExitStack() as held:
        if database.engine.dialect.name == "sqlite":
            # The lock by which core/database.py queues writers. SQLite's own is given up after seconds.
            path = f"{database.engine.url.database}.lock"
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise CommandError(f"The database's lock file cannot be opened, {path}: {error.strerror}") from error
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        connection = held.enter_context(connected()).execution_options(begin="BEGIN IMMEDIATE")
        held.enter_context(connection.begin())
        if connection.dialect.name == "postgresql":
            # Of the transaction, since a pooler lends no session for longer. Migrating may last, and so may this wait.
            allow_long_work(connection)
            await_locks(connection, 0)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            # From here on visitors may queue behind a lock that is waited for.
            await_locks(connection, 5)
        yield connection


def run() -> None:
    """Apply the migrations in one transaction."""
    with alone() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()


run()
