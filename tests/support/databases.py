"""Real databases, migrated and filled once a process and copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from flask_migrate import upgrade

from consent_server.app import create_app
from consent_server.core.context import db
from tests.support.factories import RIVAL_FILE, Clock, notice_of, settings_for, site_file
from tests.support.postgresql import PostgreSQL
from tests.support.rates_page import count_two_months
from tests.support.sites import Apply

# The migrations put a row into `encryption`, which every database has.
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
KEEP = f"""\
CREATE SCHEMA %(fill)s;
DO $$ DECLARE name text; BEGIN
  FOR name IN {TABLES} LOOP EXECUTE format('CREATE TABLE %(fill)s.%%I AS TABLE public.%%I', name, name); END LOOP;
END $$"""
# As a replica would: the triggers that keep history from change stand aside for the cluster's owner.
# Not TRUNCATE: that makes a new file for each table and index.
REFILL = f"""\
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
  FOR name IN {TABLES} LOOP
    EXECUTE format('DELETE FROM public.%%I', name);
    EXECUTE format('INSERT INTO public.%%I SELECT * FROM %(fill)s.%%I', name, name);
  END LOOP;
END $$"""
# What a refill does not bring back: columns, indexes, constraints, triggers and whether these are on.
SHAPE = """\
SELECT coalesce(string_agg(line, chr(10) ORDER BY line), '') FROM (
  SELECT format('%s.%s', attrelid::regclass, attname) AS line FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
  UNION ALL SELECT format('%s constraint %s', conrelid::regclass, conname) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT format('%s trigger %s %s', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    WHERE NOT tgisinternal
) AS lines"""


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
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """An SQLite file by the name of a fill, made when it is first asked for, on top of the one before."""

    @cache
    def fill(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        path = folder / "consent.sqlite3"
        if before := _before(name):
            shutil.copy(fill(before), path)
        FILLS[name](folder, f"sqlite:///{path}")
        return path

    return fill


@pytest.fixture(scope="session")
def filled_postgresql(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The address of a database that holds a fill anew. What each holds is kept aside, in a schema of its name."""
    url = postgresql.url("consent")

    @cache
    def keep(name: str) -> None:
        if before := _before(name):
            fill(before)
        else:
            postgresql.execute("CREATE DATABASE consent")
        FILLS[name](tmp_path_factory.mktemp(name), url)
        postgresql.execute(KEEP % {"fill": name}, "consent")

    def fill(name: str) -> str:
        keep(name)
        postgresql.execute(REFILL % {"fill": name}, "consent")
        return url

    return fill


@pytest.fixture(scope="session")
def migrated_sqlite(filled_sqlite: Callable[[str], Path]) -> Path:
    """An SQLite file with every migration and nothing else."""
    return filled_sqlite("migrated")


@pytest.fixture(scope="session")
def published_sqlite(filled_sqlite: Callable[[str], Path]) -> Path:
    """The same with both sites."""
    return filled_sqlite("published")


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


def fill_two_months(folder: Path, database_url: str) -> None:
    """Count on the shop."""
    services = create_app(settings_for(folder, database_url), now=Clock()).extensions["consent"]
    count_two_months(services, notice_of(site_file()).hash)
    services.database.engine.dispose()


# What a database may hold, each with all before it.
FILLS = {"migrated": migrate, "published": publish, "counted": fill_two_months}


def _before(name: str) -> str | None:
    names = [None, *FILLS]
    return names[names.index(name) - 1]


@pytest.fixture(scope="session")
def published() -> str:
    """The hash of the notice that the shop shows. Whoever asks for it finds both sites published."""
    return notice_of(site_file()).hash


@pytest.fixture(scope="session")
def counted(published: str) -> None:
    """Whoever asks for it finds two months counted that are over."""


@pytest.fixture
def dialect() -> str:
    """Which database."""
    return "sqlite"


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of the test's own, with the fullest fill whose name the test asks for."""
    name = next(name for name in reversed(FILLS) if name in ("migrated", *request.fixturenames))
    if dialect == "sqlite":
        shutil.copy(request.getfixturevalue("filled_sqlite")(name), tmp_path / "consent.sqlite3")
        yield f"sqlite:///{tmp_path / 'consent.sqlite3'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url = request.getfixturevalue("filled_postgresql")(name)
    before = server.value(SHAPE, "consent").splitlines()
    yield url
    # The tables are those of every later test of this process.
    assert server.value(SHAPE, "consent").splitlines() == before
