"""A server of today on what an earlier version left: its database, migrated, its keys and its clock."""

import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.core.context import context_of
from tests.support.postgresql import PostgreSQL
from tests.support.rates_page import end_days

HERE = Path(__file__).parent
# Newest first. On every day only what the last release left is read; before a release what each did.
RELEASES = ("0.2.0", "0.1.0")
LAST = HERE / f"made-by-{RELEASES[0]}"


@dataclass(frozen=True)
class Kept:
    """What a version left behind (its README.md says what there is)."""

    folder: Path

    def text(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")

    def json(self, name: str) -> Any:
        return json.loads(self.text(name))

    @property
    def about(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json("about.json")
        return found

    @property
    def receipts(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json("receipts.json")
        return found


@dataclass(frozen=True)
class Server:
    """The product from its outside: requests and commands."""

    app: Flask
    public_url: str
    tokens: dict[str, str]

    def get(self, url: str, token: str | None = None, **headers: str) -> TestResponse:
        if token:
            headers["Authorization"] = f"Bearer {self.tokens.get(token, token)}"
        path = url.removeprefix(self.public_url)
        return self.app.test_client(use_cookies=False).get(path, headers=headers, base_url=self.public_url)

    def post(self, url: str, **sent: Any) -> TestResponse:
        path = url.removeprefix(self.public_url)
        return self.app.test_client(use_cookies=False).post(path, base_url=self.public_url, **sent)

    def run(self, *command: str | Path) -> tuple[int, str]:
        """A command; its exit code and what it printed."""
        result = self.app.test_cli_runner().invoke(args=[str(part) for part in command])
        return result.exit_code, result.output


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run whatever reads what a release left for each release."""
    if "kept" in metafunc.fixturenames:
        releases = RELEASES if metafunc.config.getoption("--slow") else RELEASES[:1]
        metafunc.parametrize("kept", releases, indirect=True, scope="session")


@pytest.fixture(scope="session")
def kept(request: pytest.FixtureRequest) -> Kept:
    return Kept(HERE / f"made-by-{request.param}")


@pytest.fixture(scope="session")
def serve(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Starts a server with what was kept on a database that is named by its address."""
    apps: list[Flask] = []

    def start(database_url: str) -> Server:
        instance = tmp_path_factory.mktemp("instance")
        keys = shutil.copytree(kept.folder / "keys", instance / "keys")
        made_at = datetime.fromisoformat(kept.about["made_at"])
        with pytest.MonkeyPatch.context() as environment:
            for name, value in {
                "CONSENT_INSTANCE": instance,
                "CONSENT_DATABASE_URL": database_url,
                "CONSENT_SECRET_KEY_FILE": keys / "secret-key",
                "CONSENT_SIGNING_KEYS_FILE": keys / "signing-keys.json",
                "CONSENT_PUBLIC_URL": kept.about["public_url"],
                "CONSENT_RATE_LIMIT": "1000000 per minute",
                "CONSENT_WITNESSES_FILE": keys / "witnesses",
                "CONSENT_TIMESTAMP_ROOTS_FILE": keys / "timestamp-root.pem",
            }.items():
                environment.setenv(name, str(value))
            app = create_app(now=lambda: made_at)
        apps.append(app)
        return Server(app, kept.about["public_url"], kept.about["tokens"])

    yield start
    for app in apps:
        release(app)


def release(app: Flask) -> None:
    """Close every connection to the database."""
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def migrate(server: Server) -> None:
    """What an operator does first with a new version, and what the server does then: the last day is told when over."""
    with server.app.app_context():
        upgrade()
    end_days(context_of(server.app))
    release(server.app)


NEW = (
    "placeholders", "marked", "visits", "visit_decisions", "visit_accept_all", "shown_again", "answered_again",
    "accept_all_again", "refuse_all_again", "save_again", "told", "objections",
)  # fmt: skip
NOISED = ("purposes", "vendors")
# What is said since, and the rate that is of other counts since.
OTHERWISE = (
    "again", "grants_lately", "page_loads", "counted_apart_from", "visit_interaction", "visit_opt_in", "withdrawal",
    "projection", "title", "annotations", "noise", "draws",
)  # fmt: skip


def as_before(figures: Any) -> Any:
    """Figures without what earlier versions did not count, and so is 0 or empty, nor what they said otherwise."""
    if isinstance(figures, dict):
        assert not any(figures.get(name) for name in NEW)
        before = {name: as_before(value) for name, value in figures.items() if name not in NEW + OTHERWISE}
        return {name: without_intervals(value) if name in NOISED else value for name, value in before.items()}
    return [as_before(value) for value in figures] if isinstance(figures, list) else figures


def without_intervals(figures: Any) -> Any:
    """Figures without their intervals, which are wider since noise is drawn for their counters."""
    if isinstance(figures, dict):
        return {name: without_intervals(value) for name, value in figures.items() if name not in ("low", "high")}
    return [without_intervals(value) for value in figures] if isinstance(figures, list) else figures


@pytest.fixture(scope="session")
def kept_sqlite(kept: Kept, serve: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kept file after every later migration."""
    path = tmp_path_factory.mktemp("database") / "consent.sqlite3"
    path.write_bytes(gzip.decompress((kept.folder / "consent.sqlite3.gz").read_bytes()))
    migrate(serve(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def kept_postgresql(kept: Kept, serve: Callable[[str], Server], postgresql: PostgreSQL) -> str:
    """The name of a database that holds the kept rows after every later migration."""
    name = re.sub(r"\W", "_", kept.folder.name)
    postgresql.execute(f"CREATE DATABASE {name}")
    postgresql.execute(gzip.decompress((kept.folder / "postgresql.sql.gz").read_bytes()).decode(), name)
    migrate(serve(postgresql.url(name)))
    return name


@pytest.fixture(scope="session")
def server(kept_sqlite: Path, serve: Callable[[str], Server]) -> Server:
    """A server for whoever only reads."""
    return serve(f"sqlite:///{kept_sqlite}")


@pytest.fixture(params=["sqlite", "postgresql"])
def either_server(request: pytest.FixtureRequest, kept: Kept) -> Server:
    """A server on each kind of database, for whoever asks what SQL answers and changes nothing that another reads."""
    return request.getfixturevalue("server" if request.param == "sqlite" else "server_on_postgresql")  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def server_on_postgresql(kept_postgresql: str, postgresql: PostgreSQL, serve: Callable[[str], Server]) -> Server:
    """The same on PostgreSQL, in a copy: nobody may be connected to what others copy."""
    name = f"{kept_postgresql}_read"
    postgresql.execute(f"CREATE DATABASE {name} TEMPLATE {kept_postgresql}")
    return serve(postgresql.url(name))


NUMBERS = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def own_server(request: pytest.FixtureRequest, serve: Callable[[str], Server], tmp_path: Path) -> Server:
    """A server of this test's own on each kind of database, for whoever writes."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("kept_sqlite"), tmp_path / "consent.sqlite3")
        return serve(f"sqlite:///{tmp_path / 'consent.sqlite3'}")
    cluster: PostgreSQL = request.getfixturevalue("postgresql")
    name = f"compat_{next(NUMBERS)}"
    cluster.execute(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('kept_postgresql')}")
    return serve(cluster.url(name))
