"""GET /readyz: whether a decision would be recorded. GET /healthz: the process alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, text

from consent_server.core import group_commit
from consent_server.core.context import Context
from consent_server.health import require_ready
from tests.support.factories import Body
from tests.support.faults import write_lock
from tests.support.postgresql import PostgreSQL
from tests.support.visitor import post


@pytest.fixture
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request asks the database."""
    monkeypatch.setattr(require_ready, "STANDS", 0)


@pytest.fixture
def read_only(postgresql: PostgreSQL, services: Context) -> Iterator[None]:
    """A PostgreSQL that takes no writes, as a standby."""
    postgresql.execute("ALTER DATABASE consent SET default_transaction_read_only = on")
    services.database.engine.dispose()
    yield
    postgresql.execute("ALTER DATABASE consent RESET default_transaction_read_only")


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("asked_anew")
def test_it_writes_and_leaves_nothing(client: FlaskClient, services: Context) -> None:
    heard: list[str] = []
    event.listen(services.database.engine, "before_cursor_execute", lambda *call: heard.append(call[2]))
    for _ in range(2):
        assert client.get("/readyz").get_json()["status"] == "ready"
    assert len([each for each in heard if each.startswith("INSERT")]) == 2
    with services.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM site_changes WHERE id <> 1")) == 0


def test_asked_often_it_asks_seldom(client: FlaskClient, services: Context) -> None:
    heard: list[str] = []
    event.listen(services.database.engine, "commit", lambda _: heard.append("commit"))
    assert [client.get("/readyz").status_code for _ in range(10)] == [200] * 10
    assert heard == ["commit"]


@pytest.mark.usefixtures("asked_anew", "real_waits")
def test_a_database_that_takes_no_writes_is_not_ready(client: FlaskClient, tmp_path: Path) -> None:
    with write_lock(tmp_path / "consent.sqlite3"):
        answer = client.get("/readyz")
        assert (answer.status_code, answer.get_json()["type"]) == (503, "/problems/storage-unavailable")
        assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.usefixtures("asked_anew", "read_only")
def test_a_standby_is_not_ready(client: FlaskClient, body: Body) -> None:
    assert client.get("/readyz").status_code == 503
    assert post(client, body()).status_code == 503


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.usefixtures("asked_anew")
def test_decisions_that_fail_are_not_ready_whatever_else_can_be_written(
    client: FlaskClient, services: Context, body: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "REST", 0)
    with services.database.reading() as holder:
        holder.execute(text("LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE"))
        assert post(client, body()).status_code == 503
        assert client.get("/readyz").status_code == 503
    assert post(client, body()).status_code == 201
    assert client.get("/readyz").status_code == 200
