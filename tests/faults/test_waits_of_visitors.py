"""Whatever the database does, visitors see the banner and are answered: the server as it is shipped, with a crowd."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support.crowd import HEALTH, POST, WIDGET, Crowd
from tests.support.factories import Body
from tests.support.faults import full_disk, way_to, write_lock
from tests.support.figures import Figure
from tests.support.postgresql import PostgreSQL
from tests.support.served import Server, Start

pytestmark = pytest.mark.slow

on_postgresql = pytest.mark.parametrize("dialect", ["postgresql"])
Fault = Callable[[], AbstractContextManager[object]]
# Seconds that a fault lasts, and what is promised: 99 of 100 posts, every post, widget, /healthz, coming back.
LASTS, PROMISED = 4.0, (2.0, 6.0, 2.0, 2.0, 5.0)


@pytest.fixture
def promised(figure: Figure) -> tuple[float, ...]:
    """To the letter before a release. Every day a busy machine may take five times as long, and nobody may hang."""
    return tuple(seconds * figure(5, release=1) for seconds in PROMISED)


def until(condition: Callable[[], bool], seconds: float) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.01)
    return time.monotonic() - begun


def suffer(server: Server, body: Body, fault: Fault, promised: tuple[float, ...]) -> Crowd:
    """A crowd before, during and after a fault, and what is promised of it whatever the fault."""
    with Crowd(server.port, body) as crowd:
        until(lambda: len(crowd.acknowledged) > 100, 20)
        with fault():
            # Not before: on a busy machine it takes a while to bring a fault about.
            begun = time.monotonic()
            until(lambda: time.monotonic() > begun + LASTS, LASTS + 1)
        ended = time.monotonic()
        back = until(lambda: crowd.recorded_since(ended), 30)
    posts, widget, health = (crowd.waits(begun, path) for path in (POST, WIDGET, HEALTH))
    waits = (posts[len(posts) * 99 // 100], posts[-1], widget[-1], health[-1], back)
    said = "{} posts, p99 {:.2f}, longest {:.2f}, widget {:.2f}, healthz {:.2f}, back {:.2f}"
    told = said.format(len(posts), *waits)
    print(told, crowd.statuses())
    assert set(crowd.statuses()) == {201, 503}
    assert len(posts) > 100, told
    for name, looks in crowd.looks.items():
        assert {each.status for each in looks} == {200}, name
    assert all(wait < most for wait, most in zip(waits, promised, strict=True)), told
    assert [(each.sent, each.body, now) for each, now in crowd.lost()] == []
    return crowd


def test_another_program_holds_the_write_lock(
    start: Start, body: Body, tmp_path: Path, promised: tuple[float, ...]
) -> None:
    suffer(start(), body, lambda: write_lock(tmp_path / "consent.sqlite3"), promised)


@on_postgresql
@pytest.mark.usefixtures("before_a_release")
def test_somebody_locks_the_table(
    start: Start, body: Body, postgresql: PostgreSQL, promised: tuple[float, ...]
) -> None:
    @contextmanager
    def locked() -> Iterator[None]:
        with psycopg.connect(host=str(postgresql.folder), user="consent", dbname="consent") as connection:
            connection.execute("LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE")
            yield

    suffer(start(), body, locked, promised)


@on_postgresql
def test_the_host_of_the_database_falls_silent(
    start: Start, body: Body, postgresql: PostgreSQL, promised: tuple[float, ...]
) -> None:
    with way_to(postgresql.folder) as way:
        server = start(CONSENT_DATABASE_URL=f"postgresql+psycopg://consent@127.0.0.1:{way.port}/consent")

        @contextmanager
        def silent() -> Iterator[None]:
            way.silence()
            yield
            way.heal()

        suffer(server, body, silent, promised)
        before = server.workers
        way.silence()
        # A worker that starts now has the sites from its master.
        server.reload()
        until(lambda: len(server.workers) == 2 and not server.workers & before, 60)
        assert server.ask("GET", WIDGET)[0] == 200
        way.heal()


@pytest.mark.usefixtures("before_a_release")
def test_the_disk_is_full(start: Start, body: Body, promised: tuple[float, ...]) -> None:
    server = start()

    @contextmanager
    def full() -> Iterator[None]:
        with full_disk(server.workers):
            until(lambda: server.ask("GET", "/readyz")[0] == 503, 10)
            yield
        until(lambda: server.ask("GET", "/readyz")[0] == 200, 10)

    suffer(server, body, full, promised)
