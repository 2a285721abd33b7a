"""A database that somebody sets back to an older copy."""

import sqlite3
from pathlib import Path

from consent_server.core.context import Context
from tests.support.postgresql import PostgreSQL


class OlderCopy:
    """A copy of a server's database as it is now, to be put in its place later."""

    def __init__(self, services: Context, folder: Path, postgresql: PostgreSQL | None = None) -> None:
        self._services, self._folder, self._postgresql = services, folder, postgresql
        if postgresql is None:
            with sqlite3.connect(self._database) as source, sqlite3.connect(folder / "older.sqlite3") as copy:
                source.backup(copy)
            copy.close()
            source.close()
        else:
            services.database.engine.dispose()
            postgresql.execute("DROP DATABASE IF EXISTS older")
            postgresql.execute("CREATE DATABASE older TEMPLATE consent")

    @property
    def _database(self) -> Path:
        return self._services.settings.instance / "consent.sqlite3"

    def put_back(self) -> None:
        """As an operator does who knows nothing of a command for it: with nobody connected."""
        self._services.database.close()
        if self._postgresql is None:
            self._database.write_bytes((self._folder / "older.sqlite3").read_bytes())
        else:
            self._postgresql.execute("DROP DATABASE consent")
            self._postgresql.execute("ALTER DATABASE older RENAME TO consent")
