"""Behind PgBouncer in transaction mode, each transaction may be another session of the server's."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from consent_server.audit.export import export_evidence
from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable
from consent_server.core.rewriting import rewrite_files
from consent_server.ledger.seal import seal_ledger
from tests.support.databases import migrate
from tests.support.factories import Body
from tests.support.pgbouncer import PgBouncer
from tests.support.postgresql import PostgreSQL
from tests.support.visitor import post, rows


@pytest.fixture(scope="module")
def pooler(postgresql: PostgreSQL) -> Iterator[PgBouncer]:
    pooler = PgBouncer(postgresql)
    yield pooler
    pooler.stop()


@pytest.fixture
def database_url(filled_postgresql: Callable[[str], str], pooler: PgBouncer) -> str:
    """Both sites, reached through the pooler."""
    filled_postgresql("published")
    return pooler.url("consent")


def test_every_decision_is_recorded(app: Flask, body: Body, services: Context) -> None:
    answers: list[int] = []

    def visit() -> None:
        client = app.test_client(use_cookies=False)
        # As many as it takes psycopg to prepare what it sends again and again.
        answers.extend(post(client, body()).status_code for _ in range(8))

    visitors = [threading.Thread(target=visit) for _ in range(6)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(30)
    assert answers == [201] * 48
    assert len(rows(services)) == 48
    seal_ledger(services.database, services.keys.ring, services.now)
    pack = export_evidence(services.database, services.keys.ring, "https://consent.example", services.now, "shop",
                           None, None)  # fmt: skip
    assert sum(map(len, pack)) > 10_000
    rewrite_files(services.database)


def test_a_lock_is_waited_for_as_long_and_others_meet_nothing_of_it(services: Context, database_url: str) -> None:
    # More at once than there are sessions, so that some are lent to one and then to another.
    for _ in range(3):
        with services.database.reading() as session, services.database.reading() as other:
            shown = [each.execute(text("SHOW lock_timeout")).scalar() for each in (session, other)]
            assert shown == ["1s", "1s"]
    stranger = create_engine(database_url)
    with stranger.connect() as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "0"
    stranger.dispose()


def test_migrations_run_through_it(postgresql: PostgreSQL, pooler: PgBouncer, tmp_path: Path) -> None:
    postgresql.execute("CREATE DATABASE pooled")
    migrate(tmp_path, pooler.url("pooled"))


def test_a_pooler_that_cannot_do_is_named_before_the_server_starts(
    postgresql: PostgreSQL, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    statements_only = PgBouncer(postgresql, mode="statement")
    with pytest.raises(SystemExit):
        migrate(tmp_path, statements_only.url("consent"))
    assert "statement pooling mode" in caplog.text
    statements_only.stop()


def test_what_prepared_statements_meet_there_is_said_as_a_refusal(services: Context) -> None:
    for statement in ("EXECUTE never_prepared", "DEALLOCATE never_prepared"):
        with pytest.raises(StorageUnavailable), services.database.reading() as session:
            session.execute(text(statement))


def test_no_record_is_under_a_key_that_the_server_behind_it_lost(
    app: Flask, body: Body, services: Context, postgresql: PostgreSQL
) -> None:
    client = app.test_client(use_cookies=False)
    for _ in range(3):
        assert post(client, body()).status_code == 201
    # As a standby that had not heard of it: the pooler's clients keep their connections, and meet another server.
    postgresql.execute("DELETE FROM record_keys", "consent")
    assert post(client, body()).status_code == 201
    assert [record.fault is None for record in rows(services)] == [False, False, False, True]
