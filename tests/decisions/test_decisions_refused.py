"""Every bad input of contract 4.1 is refused with its status, and nothing is stored for it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.core.context import Services
from tests.support.factories import SHOP, Body, settings_for
from tests.support.postgresql import PostgreSQL
from tests.support.visitor import post, rows


@pytest.fixture(autouse=True)
def _nothing_is_stored(services: Services) -> Iterator[None]:
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


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"nothing", b"[]", b"[{}]", b'"text"', b"null", b"1", b"true", b"NaN", b"{'a': 1}",
        b'{"a": 1, "a": 1}', b'{"grants": {"analytics": false, "analytics": true}}', b"\xff\xfe", b"{" * 5000,
        b'{"a": 1' + b"0" * 5000 + b"}", b"\x00", b'{"a": "\xff"}', b'{"change": NaN}x',
    ],
)  # fmt: skip
def test_what_is_not_a_json_object_with_unique_keys(client: FlaskClient, raw: bytes) -> None:
    refused(post(client, raw), 400)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_is_utf_8_without_a_mark(client: FlaskClient, body: Body, encoding: str) -> None:
    refused(post(client, json.dumps(body()).encode(encoding)), 400)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", '"\\ud800"'])
@pytest.mark.parametrize("field", ["change", "page", "language", "extra"])
def test_what_is_no_json_value(client: FlaskClient, body: Body, field: str, value: str) -> None:
    raw = json.dumps(body(**{field: "HERE"})).replace('"HERE"', value)
    response = post(client, raw.encode())
    assert (response.status_code, response.content_type) == (400, "application/problem+json")


def test_a_repeated_key_anywhere(client: FlaskClient, body: Body) -> None:
    raw = json.dumps(body()).replace('"analytics": true', '"analytics": false, "analytics": true')
    refused(post(client, raw.encode()), 400)


@pytest.mark.parametrize("granted", ["yes", "true", "1", 1, 0, 1.0, None, [], [True], {}, {"value": True}, "on", ""])
@pytest.mark.parametrize("field", ["grants", "vendors"])
def test_only_true_and_false_are_an_answer(client: FlaskClient, body: Body, granted: Any, field: str) -> None:
    key = {"grants": "analytics", "vendors": "meta-pixel"}[field]
    refused(post(client, body(action="save", **{field: {key: granted}})), 400, f"#/{field}/{key}")


@pytest.mark.parametrize("field", ["change", "gpc"])
@pytest.mark.parametrize("value", ["yes", 1, 0, "false", None])
def test_only_true_and_false_are_marks(client: FlaskClient, body: Body, field: str, value: Any) -> None:
    refused(post(client, body(**{field: value})), 400, f"#/{field}")


@pytest.mark.parametrize("field", ["decision_id", "notice", "action", "method", "grants", "language", "page"])
def test_a_missing_field(client: FlaskClient, body: Body, field: str) -> None:
    sent = body()
    del sent[field]
    refused(post(client, sent), 400, f"#/{field}")


def test_every_fault_is_named_at_once(client: FlaskClient) -> None:
    problem = refused(
        post(client, {"grants": {"a/b~c": 1, "key": "yes"}, "extra": 1}), 400,
        "#/decision_id", "#/notice", "#/action", "#/method", "#/grants/a~1b~0c", "#/grants/key", "#/language",
        "#/page", "#/extra",
    )  # fmt: skip
    assert problem["type"] == "/problems/malformed-body"


GOOD_ID = "0190b5e0-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    "wrong",
    [
        "", "x", GOOD_ID + "\n", " " + GOOD_ID, GOOD_ID.replace("-", ""), "{" + GOOD_ID + "}", "urn:uuid:" + GOOD_ID,
        GOOD_ID[:-1], GOOD_ID + "0", 1, None, [], {}, True, GOOD_ID.replace("1", "\u0661"),
    ],
)  # fmt: skip
def test_a_uuid_in_another_spelling(client: FlaskClient, body: Body, wrong: Any) -> None:
    refused(post(client, body(decision_id=wrong)), 400, "#/decision_id")
    if wrong is not None:
        refused(post(client, body(visitor=wrong)), 400, "#/visitor")


@pytest.mark.parametrize("field", ["notice", "widget"])
@pytest.mark.parametrize("turn", [
    lambda h: h + "\n", lambda h: h.upper(), lambda h: h[:15], lambda h: h + "0", lambda h: "0x" + h[2:],
    lambda h: int(h, 16), lambda h: [h], lambda h: "\u0661" * 64, lambda h: "",
])  # fmt: skip
def test_a_hash_in_another_spelling(client: FlaskClient, body: Body, field: str, turn: Any) -> None:
    refused(post(client, body(**{field: turn(body.notice.replace("0", "a"))})), 400, f"#/{field}")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("action", "accept"), ("action", "ACCEPT_ALL"), ("action", "save\n"), ("action", 1), ("action", []),
        ("action", None), ("method", "popup"), ("method", {}), ("grants", []), ("grants", "all"), ("grants", None),
        ("vendors", []), ("vendors", None), ("language", 1), ("language", "x" * 17), ("page", "about:blank"),
        ("page", "javascript:alert(1)"), ("page", "shop.example/x"), ("page", "//shop.example/x"), ("page", ""),
        ("page", 1), ("page", None), ("page", "https://"), ("page", "https://[::1"), ("page", "file:///etc/passwd"),
        ("page", "https://shop.example:99999/"), ("page", "https://shop.example/" + "a" * 2000),
        ("page", "https://" + "a" * 64 + ".example/"),
    ],
)  # fmt: skip
def test_a_field_of_another_form(client: FlaskClient, body: Body, field: str, wrong: Any) -> None:
    refused(post(client, body(**{field: wrong})), 400, f"#/{field}")


@pytest.mark.parametrize(
    "origin",
    [
        None, "", "null", "*", "https://evil.example", "http://shop.example", "https://shop.example:8443",
        "https://shop.example/", "https://shop.example.evil.example", "https://evilshop.example",
        "https://sub.shop.example", "https://shop.example@evil.example", "https://evil.example/https://shop.example",
        "HTTPS://SHOP.EXAMPLE", "https://shop.example https://evil.example", "https://shop.example,https://a.example",
        "http://127.0.0.1:*", "http://127.0.0.1:", "http://127.0.0.1:80x", "http://127.0.0.1:80:80",
        "http://127.0.0.1.evil.example:80", "http://evil.example:80", "https://127.0.0.1:8000",
        "http://127.0.0.1:\u0661", "http://localhost:8000", "https://rival.example",
    ],
)  # fmt: skip
def test_a_page_that_is_not_the_sites(client: FlaskClient, body: Body, origin: str | None) -> None:
    problem = refused(post(client, body(), origin=origin), 403)
    assert problem["type"] == "/problems/foreign-origin"


@pytest.mark.parametrize("site", ["nowhere", "SHOP", "shop%00", "%00", "shop%0a", "shop'--", "%F0%9F%8D%AA", "a" * 500])
@pytest.mark.parametrize("path", ["decisions", "shown"])
def test_an_unknown_site(client: FlaskClient, body: Body, site: str, path: str) -> None:
    refused(post(client, body(), site=site, path=path), 404)


def test_a_body_of_8_kib_is_read_and_one_byte_more_is_not(client: FlaskClient, body: Body) -> None:
    raw = json.dumps(body(page="about:blank"))
    refused(post(client, raw.ljust(8192).encode()), 400, "#/page")
    refused(post(client, raw.ljust(8193).encode()), 413)


@pytest.mark.parametrize("size", [8193, 600_000])
def test_a_body_that_does_not_say_its_length(client: FlaskClient, body: Body, size: int) -> None:
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    raw = json.dumps(body()).ljust(size).encode()
    refused(post(client, raw, environ=chunked), 413)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx",
     "text/plainer", "application/cbor", "json"],
)  # fmt: skip
def test_another_content_type(client: FlaskClient, body: Body, content_type: str) -> None:
    refused(post(client, body(), content_type=content_type), 415)


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"grants": {"analytics": True, "advertising": False}}, ["#/grants/advertising"]),
        ({"grants": {"analytics": True}}, ["#/grants/advertising"]),
        ({"grants": {}}, ["#/grants/analytics", "#/grants/advertising"]),
        ({"vendors": {"meta-pixel": False}}, ["#/vendors/meta-pixel"]),
        ({"grants": {"analytics": True, "advertising": True, "a/b~c": True}}, ["#/grants/a~1b~0c"]),
        ({"grants": {"analytics": True, "advertising": True, "necessary": True}}, ["#/grants/necessary"]),
        ({"vendors": {"hotjar": True}}, ["#/vendors/hotjar"]),
        ({"language": "de"}, ["#/language"]),
        ({"language": "EN"}, ["#/language"]),
        ({"language": "en\n"}, ["#/language"]),
        ({"notice": "0" * 64}, ["#/notice"]),
        ({"widget": "0" * 64}, ["#/widget"]),
        ({"action": "refuse_all"}, ["#/grants/analytics", "#/grants/advertising"]),
        ({"action": "refuse_all", "grants": {}, "vendors": {"meta-pixel": True}}, ["#/vendors/meta-pixel"]),
        ({"action": "withdraw"}, ["#/grants/analytics", "#/grants/advertising"]),
        ({"action": "withdraw", "grants": {}, "vendors": {"google-ads": True}}, ["#/vendors/google-ads"]),
        ({"action": "gpc", "method": "signal", "gpc": True}, ["#/grants/advertising"]),
    ],
)
def test_a_decision_that_cannot_be_one(
    client: FlaskClient, body: Body, changes: dict[str, Any], pointers: list[str]
) -> None:
    problem = refused(post(client, body(**changes)), 422, *pointers)
    assert problem["type"] == "/problems/invalid-decision"


def test_global_privacy_control_grants_no_vendor_that_only_advertises(client: FlaskClient, body: Body) -> None:
    sent = body.choice(True, False, action="gpc", method="signal", gpc=True, vendors={"meta-pixel": True})
    refused(post(client, sent), 422, "#/vendors/meta-pixel")


def test_the_notice_of_another_site(client: FlaskClient, body: Body, services: Services) -> None:
    theirs = services.sites.get("rival").notice.hash
    refused(post(client, body(notice=theirs)), 422, "#/notice")


def test_too_many(app: Flask, services: Services, body: Body) -> None:
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


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_database_that_is_locked(client: FlaskClient, services: Services, body: Body) -> None:
    engine = services.database.engine
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50"))
    with engine.connect().execution_options(begin="BEGIN IMMEDIATE") as holder:
        holder.exec_driver_sql("SELECT 1")
        away(post(client, body()))


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_database_that_is_stopped(
    client: FlaskClient, postgresql: PostgreSQL, services: Services, body: Body
) -> None:
    sent = body()
    post(client, b"{")
    postgresql.stop()
    try:
        away(post(client, sent))
        away(client.get("/readyz"))
        assert client.get("/healthz").status_code == 200
    finally:
        postgresql.start()
    assert client.get("/readyz").status_code == 200
    assert rows(services) == []


def test_a_database_that_was_never_there(body: Body, services: Services, dialect: str) -> None:
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


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method(client: FlaskClient, method: str) -> None:
    response = client.open("/v1/sites/shop/decisions", method=method, headers={"Origin": SHOP})
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_a_known_visitor_in_a_refused_body_changes_nothing(client: FlaskClient, body: Body) -> None:
    refused(post(client, body(visitor=str(uuid4()), language="de")), 422, "#/language")
