"""Migrations make exactly the tables of the models, on both databases, there and back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, inspect

from consent_server.app import create_app
from consent_server.storage.base import Base
from tests.factories import settings_for
from tests.postgresql import PostgreSQL


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


def test_migrations_equal_models(empty_app: Flask) -> None:
    upgrade()
    assert drift(engine_of(empty_app)) == []


def test_there_and_back(empty_app: Flask) -> None:
    upgrade()
    upgrade()
    downgrade(revision="base")
    assert set(inspect(engine_of(empty_app)).get_table_names()) <= {"alembic_version"}
    upgrade()
    assert drift(engine_of(empty_app)) == []


def test_names_are_those_of_the_models(empty_app: Flask) -> None:
    upgrade()
    found = inspect(engine_of(empty_app))
    for table in Base.metadata.sorted_tables:
        assert {index["name"] for index in found.get_indexes(table.name)} >= {index.name for index in table.indexes}
        assert [column["name"] for column in found.get_columns(table.name)] == list(table.columns.keys())


def test_the_look_up_of_a_visitor_is_an_index_of_few(empty_app: Flask) -> None:
    upgrade()
    indexes = {index["name"]: index for index in inspect(engine_of(empty_app)).get_indexes("decisions")}
    options = indexes["ix_decisions_visitor"]["dialect_options"]
    assert any("visitor IS NOT NULL" in str(value) for value in options.values())
