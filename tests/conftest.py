"""What every test may ask for. Databases are real: each test on one meets SQLite and PostgreSQL."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from hypothesis import settings as hypothesis_settings

from consent_server.app import create_app
from consent_server.core.context import Services, db
from consent_server.sites.publish import Published, publish_notice
from consent_server.sites.site_file import read_site_file
from tests.e2e.site_files import DOMAIN
from tests.support.factories import RIVAL_FILE, Body, Clock, settings_for, site_file
from tests.support.postgresql import PostgreSQL
from tests.support.process import free_port

# What stands in support/ and is no test's own.
pytest_plugins = ["tests.support.cast", "tests.support.alerts"]

# No test is about time: a busy machine is no fault.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

# As a replica would: the triggers that keep history from change stand aside for the cluster's owner.
# Not TRUNCATE: that makes a new file for each table and index, and syncs every one.
EMPTY = """\
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
  LOOP EXECUTE 'DELETE FROM ' || quote_ident(name); END LOOP;
END $$"""


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The session's cluster."""
    server = PostgreSQL()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every migration and nothing else."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(folder, f"sqlite:///{folder / 'consent.sqlite3'}")
    return folder / "consent.sqlite3"


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database with every migration."""
    postgresql.execute("CREATE DATABASE consent")
    migrate(tmp_path_factory.mktemp("migrated"), postgresql.url("consent"))
    return postgresql.url("consent")


@pytest.fixture(scope="session")
def page_port() -> int:
    """Where the pages of the site of the browser tests are served."""
    return free_port()


@pytest.fixture(scope="session")
def browser_type_launch_args(page_port: int) -> dict[str, Any]:
    """Debian's Chromium; that site's hosts are this machine, and nothing of the browser's own goes out."""
    chromium = shutil.which("chromium")
    assert chromium, "Install Chromium: apt-get install chromium"
    return {
        "executable_path": chromium,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1:{page_port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ],
    }


def migrate(folder: Path, database_url: str) -> None:
    """Run the real migrations."""
    app = create_app(settings_for(folder, database_url))
    with app.app_context():
        upgrade()
        db.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Which of the two databases."""
    return str(request.param)


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of an empty, migrated database that is this test's alone."""
    if dialect == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "consent.sqlite3")
        return f"sqlite:///{tmp_path / 'consent.sqlite3'}"
    url: str = request.getfixturevalue("migrated_postgresql")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    server.execute(EMPTY, "consent")
    return url


@pytest.fixture
def clock() -> Clock:
    """The time, as this test says."""
    return Clock()


@pytest.fixture
def bare_app(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """The application on an empty database."""
    app = create_app(settings_for(tmp_path, database_url), now=clock)
    yield app
    app.extensions["consent"].database.engine.dispose()


@pytest.fixture
def services(bare_app: Flask) -> Services:
    """Its use cases."""
    found: Services = bare_app.extensions["consent"]
    return found


@pytest.fixture
def apply_site(services: Services) -> "Apply":
    """Applies a site file as the command does."""
    return Apply(services)


class Apply:
    """Publishes what a site file says, and waits until the server has seen it: at most a second."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __call__(self, text: str) -> str:
        """The hash of the notice in force."""
        published = self.publish(text)
        deadline = time.monotonic() + 1
        while not self._seen(published):
            assert time.monotonic() < deadline, "A publication is not seen within a second."
        return published.notice

    def publish(self, text: str, check_only: bool = False) -> Published:
        """What `site apply` does with a file of this text."""
        services = self._services
        return publish_notice(
            services.database, read_site_file(text), services.settings.public_url, services.now(), check_only
        )

    def _seen(self, published: Published) -> bool:
        current = self._services.sites.get(published.site.key)
        runs = current.experiment.key if current.experiment else None
        same = current.notice.hash == published.notice and current.site == published.site
        return same and runs == published.experiment.key


@pytest.fixture
def notice(apply_site: Apply) -> str:
    """The hash of the notice that the shop shows. The rival has one as well."""
    apply_site(RIVAL_FILE)
    return apply_site(site_file())


@pytest.fixture
def app(bare_app: Flask, notice: str) -> Flask:
    """The application with both sites."""
    return bare_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that keeps no cookies, as across origins."""
    return app.test_client(use_cookies=False)


@pytest.fixture
def body(notice: str) -> Body:
    """What a visitor of the shop posts."""
    return Body(notice)
