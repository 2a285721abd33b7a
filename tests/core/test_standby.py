"""PostgreSQL with a second server: what is acknowledged stands on both, and a replica answers what reads much."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.core.context import Context, context_of
from consent_server.core.errors import InvalidSettings
from consent_server.core.settings import Settings
from tests.support.cast import token
from tests.support.databases import migrate, publish
from tests.support.factories import Body, Clock, notice_of, settings_for, site_file
from tests.support.postgresql import PostgreSQL, Standby
from tests.support.rates_page import end_days
from tests.support.visitor import post

NAME = "consent"


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    server = PostgreSQL(durable=False)
    server.execute(f"CREATE DATABASE {NAME}")
    folder = tmp_path_factory.mktemp("standby")
    migrate(folder, server.url(NAME))
    publish(folder, server.url(NAME))
    yield server
    server.remove()


@pytest.fixture
def standby(primary: PostgreSQL) -> Iterator[Standby]:
    server = Standby(primary)
    yield server
    server.remove()


def served(folder: Path, database_url: str, **changes: Any) -> Flask:
    return create_app(settings_for(folder, database_url, **changes), now=Clock())


def decide(client: FlaskClient) -> str:
    answer = post(client, Body(notice_of(site_file()).hash)())
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["receipt_id"])


def wait_until_followed(primary: PostgreSQL, standby: Standby) -> None:
    written, wait = primary.value("SELECT pg_current_wal_lsn()"), threading.Event()
    for _ in range(400):
        if standby.value(f"SELECT pg_last_wal_replay_lsn() >= '{written}'"):
            return
        wait.wait(0.05)
    raise AssertionError("the standby does not follow")


def end(app: Flask) -> None:
    made: Context = app.extensions["consent"]
    for database in (made.database, made.replica):
        database.engine.dispose()


def test_rates_and_search_are_answered_by_the_replica(primary: PostgreSQL, standby: Standby, tmp_path: Path) -> None:
    app = served(tmp_path, primary.url(NAME), replica_url=standby.url(NAME))
    client, auditor, marketer = app.test_client(), token(app, "auditor", "shop"), token(app, "marketer", "shop")

    def seen() -> tuple[set[str], int]:
        records = client.get("/v1/sites/shop/decisions", headers=auditor).get_json()["items"]
        rates = client.get("/v1/sites/shop/rates", headers=marketer).get_json()
        return {record["receipt_id"] for record in records}, rates["totals"]["decisions"]

    first = decide(client)
    end_days(context_of(app))
    wait_until_followed(primary, standby)
    assert seen() == ({first}, 1)
    # What the replica does not have yet is in no answer: so they are its own.
    standby.execute("SELECT pg_wal_replay_pause()")
    second = decide(client)
    end_days(context_of(app))
    assert seen() == ({first}, 1)
    standby.execute("SELECT pg_wal_replay_resume()")
    wait_until_followed(primary, standby)
    assert seen() == ({first, second}, 2)
    end(app)


def test_what_was_acknowledged_stands_on_the_synchronous_standby(
    primary: PostgreSQL, standby: Standby, tmp_path: Path
) -> None:
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    primary.execute("SELECT pg_reload_conf()")
    app = served(tmp_path, primary.url(NAME))
    acknowledged = [decide(app.test_client()) for _ in range(3)]
    end(app)
    primary.stop()
    standby.promote()
    app = served(tmp_path, standby.url(NAME))
    for receipt_id in [*acknowledged, decide(app.test_client())]:
        found = app.test_client().get(f"/v1/receipts/{receipt_id}", headers=token(app, "auditor", "shop"))
        assert found.status_code == 200
    end(app)


def test_a_replica_is_one_of_postgresql(tmp_path: Path) -> None:
    environ = {"CONSENT_INSTANCE": str(tmp_path), "CONSENT_REPLICA_URL": "sqlite:////srv/consent.sqlite3"}
    with pytest.raises(InvalidSettings, match="CONSENT_REPLICA_URL"):
        Settings.from_env(environ)
