"""Every bad input of contract 4.1 is refused with its status, and nothing is stored for it."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable, TooManyRequests
from consent_server.decisions.record import RecordDecision
from consent_server.sites.current_site import CurrentSites
from tests.support.factories import SHOP, Body, settings_for
from tests.support.postgresql import PostgreSQL
from tests.support.visitor import post, rows


@pytest.fixture(autouse=True)
def _nothing_is_stored(services: Context) -> Iterator[None]:
    yield
    assert rows(services) == []


def refused(response: TestResponse, status: int, *pointers: str) -> dict[str, Any]:
    """The problem, after checking its form."""
    assert response.status_code == status, response.text[:200]
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    problem: dict[str, Any] = response.get_json()
    assert {"type", "title", "status", "detail"} <= problem.keys()
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert [error["pointer"] for error in problem.get("errors", [])] == list(pointers)
    assert all(error["detail"] for error in problem.get("errors", []))
    return problem


def test_what_is_not_a_json_object_with_unique_keys(client: FlaskClient, body: Body) -> None:
    for raw in (b"", b"[]", b"\xff\xfe", json.dumps(body()).replace('"gpc"', '"change": true, "gpc"').encode()):
        refused(post(client, raw), 400)


def test_every_fault_is_named_at_once(client: FlaskClient) -> None:
    problem = refused(
        post(client, {"grants": {"a/b~c": 1, "key": "yes"}, "extra": 1}), 400,
        "#/decision_id", "#/notice", "#/action", "#/method", "#/grants/a~1b~0c", "#/grants/key", "#/extra",
    )  # fmt: skip
    assert problem["type"] == "/problems/malformed-body"


def test_a_field_of_another_form(client: FlaskClient, body: Body) -> None:
    refused(post(client, body(decision_id="x", vendors={"meta-pixel": "yes"}, gpc="x")), 400,
            "#/decision_id", "#/vendors/meta-pixel", "#/gpc")  # fmt: skip


def test_a_page_that_is_not_the_sites(client: FlaskClient, body: Body) -> None:
    for origin, said in (
        (None, "Send the header `Origin`"), ("<script>", "Send the header `Origin`"),
        ("null", "The page has no origin of its own"),
        ("https://evil.example", "https://evil.example is no origin of this site. If it is yours, add it to `origins`"),
        ("https://rival.example", "https://rival.example is no origin of this site"),
    ):  # fmt: skip
        problem = refused(post(client, body(), origin=origin), 403)
        assert problem["type"] == "/problems/foreign-origin"
        assert said in problem["detail"]


@pytest.mark.on_both_databases
@pytest.mark.parametrize("path", ["decisions", "shown"])
def test_an_unknown_site(client: FlaskClient, body: Body, path: str) -> None:
    for site in ("nowhere", "SHOP", "shop%00", "%00", "shop%0a", "shop'--", "%F0%9F%8D%AA", "a" * 500):
        refused(post(client, body(), site=site, path=path), 404)


def test_a_body_of_8_kib_is_read_and_one_byte_more_is_not(client: FlaskClient, body: Body) -> None:
    raw = json.dumps(body(change="no"))
    refused(post(client, raw.ljust(8192).encode()), 400, "#/change")
    refused(post(client, raw.ljust(8193).encode()), 413)


@pytest.mark.parametrize("size", [8193, 600_000])
def test_a_body_that_does_not_say_its_length(client: FlaskClient, body: Body, size: int) -> None:
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    raw = json.dumps(body()).ljust(size).encode()
    refused(post(client, raw, environ=chunked), 413)


def test_another_content_type(client: FlaskClient, body: Body) -> None:
    for content_type in ("", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                         "application/jsonx", "text/plainer", "application/cbor", "json"):  # fmt: skip
        refused(post(client, body(), content_type=content_type), 415)


def test_a_decision_that_cannot_be_one(client: FlaskClient, body: Body) -> None:
    for changes, pointer in (
        ({"grants": {"analytics": True, "advertising": True, "a/b~c": True}}, "#/grants/a~1b~0c"),
        ({"action": "refuse_all", "grants": {}, "vendors": {"meta-pixel": True}}, "#/vendors/meta-pixel"),
        ({"notice": "0" * 64}, "#/notice"),
    ):
        problem = refused(post(client, body(**changes)), 422, pointer)
        assert problem["type"] == "/problems/invalid-decision"


@pytest.mark.on_both_databases
def test_the_notice_of_another_site(client: FlaskClient, body: Body, services: Context) -> None:
    theirs = services[CurrentSites].get("rival").notice.hash
    refused(post(client, body(notice=theirs)), 422, "#/notice")


def test_too_many(app: Flask, services: Context, body: Body) -> None:
    settings = settings_for(services.settings.instance, services.settings.database_url, rate_limit="3 per minute")
    limited = create_app(settings, now=services.now)
    client = limited.test_client(use_cookies=False)
    other = {"REMOTE_ADDR": "203.0.113.9"}
    try:
        assert [post(client, b"{").status_code for _ in range(3)] == [400] * 3
        response = post(client, body())
        problem = refused(response, 429)
        assert problem["type"] == "/problems/too-many-requests"
        assert 1 <= int(response.headers["Retry-After"]) <= 60
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert post(client, b"{", environ=other).status_code == 400
        assert client.get("/widget/shop.js").status_code == 200
    finally:
        limited.extensions["consent"].database.engine.dispose()


@pytest.mark.usefixtures("real_waits")
def test_a_database_that_is_locked(client: FlaskClient, services: Context, body: Body) -> None:
    with services.database.engine.connect().execution_options(begin="BEGIN IMMEDIATE") as holder:
        holder.exec_driver_sql("SELECT 1")
        away(post(client, body()))


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_database_that_is_stopped(client: FlaskClient, postgresql: PostgreSQL, services: Context, body: Body) -> None:
    sent = body()
    post(client, b"{")
    postgresql.stop()
    try:
        away(post(client, sent))
        away(client.get("/readyz"))
        assert client.get("/healthz").status_code == 200
    finally:
        postgresql.start()
    wait = threading.Event()
    # What failed lately counts for a moment.
    while client.get("/readyz").status_code != 200:
        wait.wait(0.05)
    assert rows(services) == []


@pytest.mark.on_both_databases
def test_a_database_that_was_never_there(body: Body, services: Context, dialect: str) -> None:
    folder = services.settings.instance
    url = {
        "sqlite": f"sqlite:///{folder / 'gone' / 'consent.sqlite3'}",
        "postgresql": f"postgresql+psycopg://consent@/consent?host={folder}",
    }[dialect]
    app = create_app(settings_for(folder, url))
    away(post(app.test_client(), body()))
    away(app.test_client().get("/readyz"))
    app.extensions["consent"].database.engine.dispose()


def away(response: TestResponse) -> None:
    """The database is: try again later, nothing was lost."""
    problem = refused(response, 503)
    assert problem["type"] == "/problems/storage-unavailable"
    assert int(response.headers["Retry-After"]) > 0


def test_another_method(client: FlaskClient) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        response = client.open("/v1/sites/shop/decisions", method=method, headers={"Origin": SHOP})
        assert response.status_code == 405
        assert "POST" in response.headers["Allow"]


@pytest.mark.on_both_databases
def test_a_known_visitor_in_a_refused_body_changes_nothing(client: FlaskClient, body: Body) -> None:
    refused(post(client, body(visitor=str(uuid4()), notice="0" * 64)), 422, "#/notice")


def test_a_page_of_another_origin_can_read_why(
    client: FlaskClient, body: Body, services: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = body(change="no")
    answers = [
        post(client, b"{"), post(client, sent), post(client, body(), origin="https://evil.example"),
        post(client, body(), site="nowhere"), post(client, b" " * 8193), post(client, b" " * 600_000),
        post(client, body(), content_type="text/html"), post(client, body(notice="0" * 64)),
    ]  # fmt: skip
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    for error in (RuntimeError, StorageUnavailable("away"), TooManyRequests("often", 7)):
        monkeypatch.setattr(RecordDecision, "__call__", _raising(error))
        answers.append(post(client, body()))
    assert [answer.status_code for answer in answers] == [400, 400, 403, 404, 413, 413, 415, 422, 500, 503, 429]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
        assert answer.content_type == "application/problem+json"
        problem = answer.get_json()
        assert problem["title"]
        assert problem["detail"] not in ("", problem["title"])


def _raising(error: type[Exception] | Exception) -> Callable[..., None]:
    def fails(*_: Any) -> None:
        raise error

    return fails
