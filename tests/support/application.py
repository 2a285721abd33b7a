"""The application on a database of the test's own, its clock, its sites, and a visitor's browser."""

from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from werkzeug.routing import Rule

from consent_server.access import credentials
from consent_server.app import create_app
from consent_server.core.context import Context
from tests.support.factories import Body, Clock, settings_for
from tests.support.sites import Apply

# Each test makes an application, with the same routes, statements and templates as the last one: all are compiled once
# a process, which is nine tenths of what an application costs.
COMPILED = ("_parts", "_trace", "_converters", "_build", "_build_unknown")
_routes: dict[tuple[str, str], dict[str, Any]] = {}
_statements: dict[str, dict[str, Any]] = {}
_compile_route = Rule.compile


def _compile_route_once(rule: Rule) -> None:
    key = (rule.rule, repr(rule.defaults))
    if key not in _routes:
        _compile_route(rule)
        _routes[key] = {name: rule.__dict__[name] for name in COMPILED}
    rule.__dict__.update(_routes[key])


def _compile_statements_once(engine: Engine) -> None:
    name = engine.dialect.name
    if name not in _statements:
        with engine.connect():  # tells the dialect about its server
            _statements[name] = {"dialect": engine.dialect, "_compiled_cache": engine._compiled_cache}
    engine.__dict__.update(_statements[name])


class _Templates(BytecodeCache):
    """What templates were compiled to in this process."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code
        self._compiled[bucket.key, bucket.checksum] = bucket.code


Rule.compile = _compile_route_once  # type: ignore[assignment, method-assign]
Flask.jinja_options = {"bytecode_cache": _Templates()}

# A guess costs the least that Argon2id can: what it costs as shipped would be half of what it takes to sign in.
SHIPPED_HASHER = credentials._HASHER
credentials._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def clock() -> Clock:
    """The time, as this test says."""
    return Clock()


@pytest.fixture
def bare_app(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """The application."""
    app = create_app(settings_for(tmp_path, database_url), now=clock)
    engine = app.extensions["consent"].database.engine
    _compile_statements_once(engine)
    yield app
    engine.dispose()


@pytest.fixture
def services(bare_app: Flask) -> Context:
    """Its use cases."""
    found: Context = bare_app.extensions["consent"]
    return found


@pytest.fixture
def apply_site(services: Context) -> Apply:
    """Applies a site file as the command does."""
    return Apply(services)


@pytest.fixture
def notice(published: str) -> str:
    """The hash of the notice that the shop shows. The rival has one as well."""
    return published


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
