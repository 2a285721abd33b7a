"""Migrations make exactly the tables of the models, on both databases, there and back."""

import ast
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from consent_server.app import create_app
from consent_server.core import append_only
from consent_server.core.columns import Base
from consent_server.core.database import Database
from consent_server.core.resources import ROOT
from consent_server.core.rules_email import normal_email
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.fold_tallies import fold_tallies
from tests.support.factories import settings_for
from tests.support.postgresql import PostgreSQL

# SQLite does not tell what an index on an expression is made of. That it is used, tests/audit/test_records.py looks.
pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index .?ix_decisions_choices")


@pytest.fixture
def empty_app(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application on a database without any table."""
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    if dialect == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        server.execute("DROP DATABASE IF EXISTS to_migrate")
        server.execute("CREATE DATABASE to_migrate")
        url = server.url("to_migrate")
    app = create_app(settings_for(tmp_path, url))
    with app.app_context():
        yield app
    engine_of(app).dispose()


def engine_of(app: Flask) -> Engine:
    engine: Engine = app.extensions["consent"].database.engine
    return engine


def drift(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))


@pytest.mark.on_both_databases
def test_migrations_equal_models(empty_app: Flask) -> None:
    upgrade()
    assert drift(engine_of(empty_app)) == []


@pytest.mark.on_both_databases
def test_there_and_back(empty_app: Flask) -> None:
    upgrade()
    upgrade()
    downgrade(revision="base")
    assert set(inspect(engine_of(empty_app)).get_table_names()) <= {"alembic_version"}
    upgrade()
    assert drift(engine_of(empty_app)) == []


@pytest.mark.on_both_databases
def test_names_are_those_of_the_models(empty_app: Flask) -> None:
    upgrade()
    found = inspect(engine_of(empty_app))
    for table in Base.metadata.sorted_tables:
        names = {index["name"] for index in found.get_indexes(table.name)} | expressions(engine_of(empty_app))
        assert names >= {index.name for index in table.indexes}
        assert [column["name"] for column in found.get_columns(table.name)] == list(table.columns.keys())


def expressions(engine: Engine) -> set[str]:
    """Names of the indexes that SQLite is not asked about otherwise."""
    if engine.dialect.name != "sqlite":
        return set()
    with engine.connect() as connection:
        return set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%(%(%'")))


@pytest.mark.on_both_databases
def test_the_look_up_of_a_visitor_is_an_index_of_few(empty_app: Flask) -> None:
    upgrade()
    indexes = {index["name"]: index for index in inspect(engine_of(empty_app)).get_indexes("decisions")}
    options = indexes["ix_decisions_visitor"]["dialect_options"]
    assert any("visitor IS NOT NULL" in str(value) for value in options.values())


@pytest.mark.on_both_databases
def test_what_was_served_before_there_was_a_third_script_stays_as_it_was(empty_app: Flask) -> None:
    upgrade(revision="0012")
    kept = "SELECT main, preferences, hash FROM configurations"
    with engine_of(empty_app).begin() as connection:
        connection.execute(text("INSERT INTO sites (id, key, name, settings) VALUES (1, 'shop', 'Shop', '{}')"))
        notice = "INSERT INTO notices (id, site_id, hash, body, created_at) VALUES (1, 1, :hash, :body, 0)"
        connection.execute(text(notice), {"hash": "0" * 64, "body": b"{}"})
        connection.execute(text("INSERT INTO widgets (hash, code, created_at) VALUES ('c', 'x', 0)"))
        columns = "id, notice_id, widget, language, hash, main, preferences, served_at"
        connection.execute(text(f"INSERT INTO configurations ({columns}) VALUES (1, 1, 'c', 'en', 'h', '1', '2', 0)"))
        before, closed = list(connection.execute(text(kept))), append_only.names(connection)
    upgrade()
    with engine_of(empty_app).connect() as connection:
        assert list(connection.execute(text(kept))) == before
        assert connection.scalar(text("SELECT details FROM configurations")) is None
        # SQLite loses triggers with a table that is copied.
        assert append_only.names(connection) >= closed


@pytest.mark.on_both_databases
def test_views_counted_by_day_go_on_as_roll_ups(empty_app: Flask) -> None:
    upgrade(revision="0006")
    with engine_of(empty_app).begin() as connection:
        add_notice(connection)
        for language, device, count in (("en", "desktop", 2), ("en", "mobile", 3), ("fr", "mobile", 4)):
            view = "INSERT INTO shown VALUES (1, 1, '2026-11-01', :language, :device, :count)"
            connection.execute(text(view), {"language": language, "device": device, "count": count})
    upgrade()
    with engine_of(empty_app).connect() as connection:
        query = "SELECT dimension, period, value, counter, count FROM roll_ups ORDER BY dimension, value"
        assert [tuple(row) for row in connection.execute(text(query))] == [
            ("day", "2026-11-01", "", "shown", 9),
            ("device", "2026-11-01", "desktop", "shown", 2),
            ("device", "2026-11-01", "mobile", "shown", 7),
            ("language", "2026-11-01", "en", "shown", 5),
            ("language", "2026-11-01", "fr", "shown", 4),
        ]


def test_no_migration_imports_what_may_still_change() -> None:
    for path in sorted((ROOT / "migrations" / "versions").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in ("consent_server", "wsgi", "tests")], path.name


# Of every trigger as the migrations up to 0015 leave it: these are in force on servers out there, and stay so.
TRIGGERS_OF_0015 = {
    "sqlite": "07e5054f0f7b64e8cf39d27708cb7362aca73c4940aed59743dcb8f73aef8374",
    "postgresql": "8d42ae03c05b6c3e75cf2a21c0f2fd8a09e7b476c2361239535ba330a4f2069a",
}
TRIGGERS_IN_FORCE = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT pg_get_triggerdef(pg_trigger.oid), prosrc FROM pg_trigger"
    " JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal",
}


@pytest.mark.on_both_databases
def test_the_triggers_of_older_migrations_are_the_same_to_the_byte(empty_app: Flask, dialect: str) -> None:
    upgrade(revision="0015")
    with engine_of(empty_app).connect() as connection:
        triggers = sorted("\n".join(row) for row in connection.execute(text(TRIGGERS_IN_FORCE[dialect])))
        assert sha256("\n".join(triggers).encode()).hexdigest() == TRIGGERS_OF_0015[dialect]


@pytest.mark.on_both_databases
def test_tiles_of_an_older_database_stay_in_their_place(empty_app: Flask) -> None:
    upgrade(revision="0012")
    tile = "INSERT INTO tiles (site_id, level, \"index\", hashes) VALUES (1, 0, 0, '00')"
    move = text('UPDATE tiles SET "index" = "index" + 1')
    with engine_of(empty_app).begin() as connection:
        connection.execute(text("INSERT INTO sites (id, key, name, settings) VALUES (1, 'shop', 'Shop', '{}')"))
        connection.exec_driver_sql(tile)
        connection.execute(move)
    upgrade()
    with pytest.raises(DBAPIError, match="kept as they are"), engine_of(empty_app).begin() as connection:
        connection.execute(move)


CHOICES = {
    "shown": 90, "first:accept_all:advertising,analytics:google-ads,google-analytics": 30, "first:refuse_all": 20,
    "first:refuse_all:::gpc": 2, "first:save:analytics:google-analytics": 5, "first:save:analytics:google-ads": 1,
    "first:save::google-ads": 1, "first:accept_all:analytics:google-analytics:gpc": 3, "first:save": 4,
    "change:save:analytics:google-analytics": 6, "change:accept_all:analytics": 2, "withdrawal": 7,
    "gpc::analytics:google-analytics": 8, "robot": 9, "prefetch": 10, "conversion_sent:::google-ads": 11,
    "conversion_blocked:::google-ads": 12,
}  # fmt: skip
# By hand, of one place that has each of these once.
APART = {
    "shown": 90, "decisions": 66, "accept_all": 33, "refuse_all": 22, "save": 11, "granted": 40, "with_gpc": 5,
    "with_gpc_accept_all": 3, "changes": 8, "withdrawals": 7, "gpc": 8, "robots": 9, "prefetches": 10,
    "purpose advertising": 30, "purpose analytics": 39, "vendor google-ads": 32, "vendor google-analytics": 38,
    "conversion_sent google-ads": 11, "conversion_blocked google-ads": 12,
}  # fmt: skip
PLACES = [
    ("hour", "2026-11-01T09", ""), ("day", "2026-11-01", ""), ("country", "2026-11-01", "MT"),
    ("device", "2026-11-01", "mobile"),
]  # fmt: skip


@pytest.mark.on_both_databases
def test_choices_counted_together_go_on_apart(empty_app: Flask) -> None:
    upgrade(revision="0012")
    with engine_of(empty_app).begin() as connection:
        add_notice(connection)
        for place in PLACES:
            for outcome, count in CHOICES.items():
                row = {**dict(zip(("dimension", "period", "value"), place, strict=True)), "outcome": outcome}
                counted = "INSERT INTO roll_ups VALUES (1, :dimension, :period, :value, 1, :outcome, :count)"
                connection.execute(text(counted), row | {"count": count})
        waiting = "INSERT INTO tallies VALUES (1, 3, 1, 1, '2026-11-01T09', 'en', 'mobile', 'MT', :outcome, 2)"
        connection.execute(text(waiting), {"outcome": "first:save::google-ads"})
    upgrade()
    database: Database = empty_app.extensions["consent"].database
    hour, day, *splits = PLACES
    of_hours = ("shown", "decisions", "accept_all", "refuse_all", "save")
    assert in_roll_ups(empty_app) == {
        **{(*place, counter): count for place in splits for counter, count in APART.items()},
        **{(*hour, counter): APART[counter] for counter in of_hours},
        **{("pulse", *hour[1:], name): count for name, count in (("shown", 90), ("decisions", 66), ("records", 81))},
        **{("selection" if " " in name else "day", *day[1:], name): count for name, count in APART.items()},
    }
    with database.snapshot() as session:
        read = tallies.read(session, 1, "day", "2026-01-01", "2027-01-01")
    with_inbox = APART | {"decisions": 68, "save": 13, "granted": 42}
    assert {counter.text: events for one in read for counter, events in one.events.items()} == {
        name: count for name, count in with_inbox.items() if " " not in name
    }
    # Into the inbox goes what is counted next, under the key that it had.
    with database.transaction() as session:
        cell = tallies.Cell(1, 1, "2026-11-01T09", "en", "mobile", "MT", "first:save::google-ads")
        tallies.add(session, Counter([cell]))
    assert fold_tallies(database) in (1, 2)
    assert in_roll_ups(empty_app)["country", "2026-11-01", "MT", "vendor google-ads"] == 32 + 2 + 1


@pytest.mark.on_both_databases
def test_counts_go_back_without_their_grants(empty_app: Flask) -> None:
    upgrade()
    with engine_of(empty_app).begin() as connection:
        add_notice(connection)
        for counter, count in APART.items():
            counted = "INSERT INTO roll_ups VALUES (1, 'day', '2026-11-01', '', 1, :counter, :count)"
            connection.execute(text(counted), {"counter": counter, "count": count})
        for dimension, period, count in (("countries", "2026-11-01", 15), ("country", "2026-11-01", 2),
                                         ("country months", "2026-11", 15)):  # fmt: skip
            merged = "INSERT INTO roll_ups VALUES (1, :dimension, :period, 'other', 1, 'shown', :count)"
            connection.execute(text(merged), {"dimension": dimension, "period": period, "count": count})
    downgrade(revision="0012")
    with engine_of(empty_app).connect() as connection:
        rows = connection.execute(text("SELECT dimension, value, outcome, count FROM roll_ups")).all()
    assert [tuple(row) for row in rows if row[0] != "day"] == [("country", "other", "shown", 17)]
    assert {outcome: count for dimension, _, outcome, count in rows if dimension == "day"} == {
        "shown": 90, "first:accept_all": 33, "first:refuse_all": 22, "first:save": 11, "change:save": 8,
        "withdrawal": 7, "gpc": 8, "robot": 9, "prefetch": 10, "conversion_sent:::google-ads": 11,
        "conversion_blocked:::google-ads": 12,
    }  # fmt: skip


@pytest.mark.on_both_databases
def test_days_that_were_told_without_noise_are_to_be_closed_anew(empty_app: Flask) -> None:
    upgrade(revision="0023")
    rows = (
        ("languages", "2026-11-01", "en", "shown", 40), ("language", "2026-11-01", "en", "shown", 2),
        ("language months", "2026-11", "en", "shown", 40), ("countries", "2026-11-01", "other", "decisions", 12),
        ("pages", "2026-11-01", "", "page_vendor google-ads", 3), ("hour", "2026-11-01T09", "", "vendor meta-pixel", 1),
    )  # fmt: skip
    with engine_of(empty_app).begin() as connection:
        add_notice(connection)
        for row in rows:
            counted = "INSERT INTO roll_ups VALUES (1, :dimension, :period, :value, 1, :counter, :count)"
            names = ("dimension", "period", "value", "counter", "count")
            connection.execute(text(counted), dict(zip(names, row, strict=True)))
    upgrade()
    assert in_roll_ups(empty_app) == {
        ("language", "2026-11-01", "en", "shown"): 42, ("country", "2026-11-01", "other", "decisions"): 12,
        ("page", "2026-11-01", "", "page_vendor google-ads"): 3,
    }  # fmt: skip


def in_roll_ups(app: Flask) -> dict[tuple[str, ...], int]:
    with engine_of(app).connect() as connection:
        rows = connection.execute(text("SELECT dimension, period, value, counter, count FROM roll_ups"))
        return {tuple(key): count for *key, count in rows}


def add_notice(connection: Connection) -> None:
    """A site and its notice, as every migration since the first has them."""
    connection.execute(text("INSERT INTO sites (id, key, name, settings) VALUES (1, 'shop', 'Shop', '{}')"))
    notice = "INSERT INTO notices (id, site_id, hash, body, created_at) VALUES (1, 1, :hash, :body, 0)"
    connection.execute(text(notice), {"hash": "0" * 64, "body": b"{}"})


@pytest.mark.on_both_databases
def test_users_of_one_address_in_two_spellings_stay_two(empty_app: Flask) -> None:
    upgrade(revision="0016")
    given = ["ada@example.org", "ada\u200b@example.org", "rene\u0301e@b\u00fccher.example", "operator@localhost"]
    row = "INSERT INTO users (id, email, role, nonce, created_at) VALUES (:id, :email, 'auditor', :nonce, 0)"
    with engine_of(empty_app).begin() as connection:
        for number, email in enumerate(given, 1):
            connection.execute(text(row), {"id": number, "email": email, "nonce": b"n" * 16})
    upgrade()
    with engine_of(empty_app).connect() as connection:
        spelt = list(connection.scalars(text("SELECT email FROM users ORDER BY id")))
    assert spelt == ["ada@example.org", "ada+2@example.org", "ren\u00e9e@xn--bcher-kva.example", "operator@localhost"]
    assert [normal_email(email) for email in spelt] == spelt
