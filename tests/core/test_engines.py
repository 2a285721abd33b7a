"""Databases that speak PostgreSQL's language and spread records over nodes are refused, in words."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.core.errors import UnsuitableDatabase
from consent_server.core.keys import new_key_set
from consent_server.core.resources import ROOT
from tests.support.factories import settings_for
from tests.support.postgresql import PostgreSQL
from tests.support.process import free_port

NAME = "spread"
# Whatever stands before pg_catalog in the path is asked in its place: so one PostgreSQL speaks as another engine does.
SAYS = """CREATE FUNCTION spread.version() RETURNS text LANGUAGE sql AS $$ SELECT '{}' $$"""
ENGINES = {
    "CockroachDB": SAYS.format("CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu)"),
    "YugabyteDB": SAYS.format("PostgreSQL 15.2-YB-2025.1.0.0-b0 on x86_64-pc-linux-gnu"),
    "Citus": "CREATE TABLE spread.decisions (); CREATE TABLE spread.pg_dist_partition (logicalrel regclass);"
    " INSERT INTO spread.pg_dist_partition VALUES ('spread.decisions')",
    "without pg_locks": "CREATE VIEW spread.pg_locks AS SELECT * FROM pg_catalog.pg_locks WHERE false",
}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, postgresql: PostgreSQL) -> Iterator[str]:
    postgresql.execute(f"CREATE DATABASE {NAME}")
    postgresql.execute("CREATE SCHEMA spread", NAME)
    postgresql.execute(ENGINES[request.param], NAME)
    postgresql.execute(f"ALTER DATABASE {NAME} SET search_path = spread, pg_catalog, public")
    yield request.param
    postgresql.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def test_no_record_is_written_there(engine: str, postgresql: PostgreSQL, tmp_path: Path) -> None:
    made: Context = create_app(settings_for(tmp_path, postgresql.url(NAME))).extensions["consent"]
    for _ in range(2):
        with pytest.raises(UnsuitableDatabase, match=engine), made.database.transaction():
            raise AssertionError("a transaction began")
    made.database.engine.dispose()


@pytest.mark.parametrize("engine", ["CockroachDB"], indirect=True)
@pytest.mark.parametrize("command", [["gunicorn", "wsgi:app"], ["flask", "--app", "wsgi", "db", "upgrade"]])
def test_programs_say_so_and_end(command: list[str], engine: str, postgresql: PostgreSQL, tmp_path: Path) -> None:
    environ = {
        "PORT": str(free_port()), "CONSENT_INSTANCE": str(tmp_path), "CONSENT_DATABASE_URL": postgresql.url(NAME),
        "CONSENT_SECRET_KEY": "a secret of at least thirty-two characters", "CONSENT_SIGNING_KEYS": new_key_set(),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert f"CONSENT_DATABASE_URL leads to {engine}." in done.stderr
    assert "Traceback" not in done.stderr


def test_one_postgresql_is_welcome(postgresql: PostgreSQL, tmp_path: Path) -> None:
    made: Context = create_app(settings_for(tmp_path, postgresql.url("postgres"))).extensions["consent"]
    with made.database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT 1").scalar() == 1
    made.database.engine.dispose()
