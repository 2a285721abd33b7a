"""An authority for the session, and a server whose clock is the authority's: the real one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.ledger.request_timestamps import Authority, Stamped, request_timestamps
from consent_server.ledger.seal import seal_ledger
from tests.support.factories import Body, Clock
from tests.support.timestamp_authority import Maker, TimestampAuthority
from tests.support.visitor import post


@pytest.fixture(scope="session")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """Keys and certificates of an authority."""
    return Maker(tmp_path_factory.mktemp("timestamps") / "authority")


@pytest.fixture
def authority(maker: Maker) -> Iterator[TimestampAuthority]:
    """The authority at work."""
    with TimestampAuthority(maker.reply) as working:
        yield working


@pytest.fixture
def clock() -> Clock:
    """A clock that shows what the authority's shows, and stands still."""
    return Clock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def roots(maker: Maker) -> bytes:
    """What the operator was given."""
    return maker.roots.read_bytes()


@pytest.fixture
def stamp(services: Context, authority: TimestampAuthority, roots: bytes) -> Callable[..., list[Stamped]]:
    """One run of the use case."""

    def run(key: str | None = None, seconds: int = 3600, roots: bytes = roots) -> list[Stamped]:
        whom = Authority(authority.url, roots, seconds)
        return list(request_timestamps(services.database, whom, services.now, key))

    return run


@pytest.fixture
def sealed(services: Context, client: FlaskClient, body: Body) -> Callable[[], int]:
    """One more decision of the shop under a new checkpoint; the ledger's size."""

    def seal() -> int:
        assert post(client, body()).status_code == 201
        (done,) = seal_ledger(services.database, services.keys.ring, services.now)
        return done.size

    return seal


@pytest.fixture
def stamping_app(app: Flask, services: Context, authority: TimestampAuthority, roots: bytes) -> Iterator[Flask]:
    """The application as it is with an authority in its settings."""
    settings = replace(services.settings, timestamp_url=authority.url, timestamp_roots=roots)
    made = create_app(settings, services.now)
    yield made
    made.extensions["consent"].database.engine.dispose()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder for what somebody outside keeps."""
    folder = tmp_path / "kept"
    folder.mkdir()
    return folder
