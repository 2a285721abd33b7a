"""A database in the two forms in which it is kept: an SQLite file, and the same rows as SQL of PostgreSQL."""

import gzip
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import MetaData, create_engine, insert, select, text

from consent_server.app import create_app
from tests.support.postgresql import PostgreSQL


def dump_database(database: Path, folder: Path) -> None:
    """The database in one SQLite file, and the same rows as SQL of PostgreSQL."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (str(database.with_name("kept")),))
    keep_small(folder / "consent.sqlite3.gz", database.with_name("kept").read_bytes())
    server = PostgreSQL()
    try:
        server.execute("CREATE DATABASE kept")
        os.environ["CONSENT_DATABASE_URL"] = server.url("kept")
        app = create_app()
        with app.app_context():
            upgrade()
            app.extensions["sqlalchemy"].engine.dispose()
        copy_rows(f"sqlite:///{database}", server.url("kept"))
        command = ["pg_dump", "-h", str(server.folder), "-U", "consent", "--inserts", "--rows-per-insert=50"]
        done = subprocess.run([*command, "--no-owner", "--no-privileges", "kept"], check=True, capture_output=True)
        # Newer programs write commands of psql's own, which a driver does not read.
        lines = [line for line in done.stdout.decode().split("\n") if not line.startswith("\\")]
        keep_small(folder / "postgresql.sql.gz", "\n".join(lines).encode())
    finally:
        server.remove()


def keep_small(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, mtime=0))


def copy_rows(source: str, target: str) -> None:
    metadata = MetaData()
    old, new = create_engine(source), create_engine(target)
    metadata.reflect(new)
    with old.connect() as reader, new.begin() as writer:
        # As a replica would: the triggers that keep history from change stand aside for the cluster's owner.
        writer.execute(text("SET session_replication_role = replica"))
        for table in metadata.sorted_tables:
            rows = [dict(row) for row in reader.execute(select(table)).mappings()]
            if table.name != "alembic_version":
                assert rows, f"{table.name} is empty: the folder would not show that it migrates"
                writer.execute(insert(table), rows)
            for column in table.columns:
                number = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
                if column.primary_key and writer.scalar(text(f"SELECT {number}")):
                    writer.execute(text(f"SELECT setval({number}, max({column.name})) FROM {table.name}"))
    old.dispose()
    new.dispose()
