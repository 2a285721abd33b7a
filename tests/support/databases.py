"""Real databases, migrated and filled once a process and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_migrate import upgrade

from consent_server.app import create_app
from consent_server.core.context import db
from tests.support.factories import RIVAL_FILE, Clock, notice_of, settings_for, site_file
from tests.support.postgresql import PostgreSQL
from tests.support.sites import Apply

# The migrations put a row into `encryption`, which every database has.
TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'encryption')"
)
KEEP = f"""\
CREATE SCHEMA published;
CREATE TABLE published.encryption AS TABLE public.encryption;
DO $$ DECLARE name text; BEGIN
  FOR name IN {TABLES} LOOP EXECUTE format('CREATE TABLE published.%I AS TABLE public.%I', name, name); END LOOP;
END $$"""
# As a replica would: the triggers that keep history from change stand aside for the cluster's owner.
# Not TRUNCATE: that makes a new file for each table and index.
EMPTY = f"""\
SET session_replication_role = replica;
DELETE FROM public.encryption;
INSERT INTO public.encryption SELECT * FROM published.encryption;
DO $$ DECLARE name text; BEGIN
  FOR name IN {TABLES} LOOP EXECUTE format('DELETE FROM public.%I', name); END LOOP;
END $$"""
REFILL = f"""\
{EMPTY};
DO $$ DECLARE name text; BEGIN
  FOR name IN {TABLES} LOOP EXECUTE format('INSERT INTO public.%I SELECT * FROM published.%I', name, name); END LOOP;
END $$"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What depends on its database (its SQL, locks, triggers, files) is asked on both. All else asks SQLite alone."""
    named = (mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if (
        metafunc.definition.get_closest_marker("on_both_databases")
        and "dialect" in metafunc.fixturenames
        and not any("dialect" in names for names in named)
    ):
        metafunc.parametrize("dialect", ["sqlite", "postgresql"])


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The cluster of this process."""
    server = PostgreSQL(durable=False)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every migration and nothing else."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(folder, f"sqlite:///{folder / 'consent.sqlite3'}")
    return folder / "consent.sqlite3"


@pytest.fixture(scope="session")
def published_sqlite(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with both sites."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copy(migrated_sqlite, folder / "consent.sqlite3")
    publish(folder, f"sqlite:///{folder / 'consent.sqlite3'}")
    return folder / "consent.sqlite3"


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database with every migration, and with both sites kept aside."""
    postgresql.execute("CREATE DATABASE consent")
    folder = tmp_path_factory.mktemp("migrated")
    migrate(folder, postgresql.url("consent"))
    publish(folder, postgresql.url("consent"))
    postgresql.execute(KEEP, "consent")
    return postgresql.url("consent")


def migrate(folder: Path, database_url: str) -> None:
    """Run the real migrations."""
    app = create_app(settings_for(folder, database_url))
    with app.app_context():
        upgrade()
        db.engine.dispose()


def publish(folder: Path, database_url: str) -> None:
    """Publish both sites, and have them served once."""
    services = create_app(settings_for(folder, database_url), now=Clock()).extensions["consent"]
    apply_site = Apply(services)
    apply_site(RIVAL_FILE)
    apply_site(site_file())
    services.database.engine.dispose()


@pytest.fixture(scope="session")
def published() -> str:
    """The hash of the notice that the shop shows. Whoever asks for it finds both sites published."""
    return notice_of(site_file()).hash


@pytest.fixture
def dialect() -> str:
    """Which database."""
    return "sqlite"


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of a migrated database of the test's own: with both sites if it asks for them, else empty."""
    filled = "published" in request.fixturenames
    if dialect == "sqlite":
        kept = request.getfixturevalue("published_sqlite" if filled else "migrated_sqlite")
        shutil.copy(kept, tmp_path / "consent.sqlite3")
        return f"sqlite:///{tmp_path / 'consent.sqlite3'}"
    url: str = request.getfixturevalue("migrated_postgresql")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    server.execute(REFILL if filled else EMPTY, "consent")
    return url
