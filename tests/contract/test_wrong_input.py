"""Every address of the server with input that nobody meant: an answer in words, never an error of the inside."""

import json
import re
from collections.abc import Iterator
from itertools import islice, product
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from consent_server.core.context import Context
from consent_server.sites.current_site import CurrentSites
from tests.support.cast import token
from tests.support.factories import SHOP
from tests.support.figures import Figure
from tests.support.people import Person

PARTS = ["x", "%00", "%ff", "%F0%9F%8D%AA", "..", "%2e%2e%2f", "-1", "9" * 30, "0" * 64, "a" * 3000, "'\"<b>", "%250a"]
VALUES = [
    "",
    "x",
    "%00",
    "%ff",
    "%F0%9F%8D%AA",
    "-1",
    "9" * 30,
    "0" * 64,
    "1e9",
    "2026-13-45",
    "0001-01-01",
    "a" * 3000,
]
NAMES = ["lang", "format", "widget", "from", "to", "t", "next", "limit", "cursor", "visitor", "notice", "purpose",
         "action", "receipt", "n", "seed", "size", "before", "by"]  # fmt: skip
BODIES: list[bytes] = [
    b"", b"null", b"[]", b"{", b"\x00", b"\xff\xfe", b"1" * 9000, b"[" * 5000, b'{"receipt": 1}',
    b'{"notice": "\\u0000"}', b'{"receipt": "a.b.c"}', b'{"decision_id": 1e999}', b'{"a": NaN}', b'{"x": "\\ud800"}',
]  # fmt: skip


@pytest.fixture
def known(services: Context, notice: str) -> dict[str, str]:
    """Good values of the parts of paths, so that the next part is reached."""
    return {"key": "shop", "notice_hash": notice, "widget": services[CurrentSites].get("shop").widget.hash}


@pytest.fixture
def operator(app: Flask) -> dict[str, str]:
    """The header of a program that may ask everything."""
    return token(app, "operator")


def rules(app: Flask, method: str) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if method in (rule.methods or ())]


def paths(rule: Rule, known: dict[str, str]) -> Iterator[str]:
    """The rule's path with each of its parts wrong in turn, the others as good as they can be."""
    for name in rule.arguments or [""]:
        for part in PARTS:
            yield filled(rule, known | {name: part})


def filled(rule: Rule, known: dict[str, str]) -> str:
    """The rule's path with these parts."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known.get(found[1], "x"), rule.rule)


def in_words(answer: Any, what: str) -> None:
    """Fails for an error of the inside, and for a refusal that says nothing."""
    assert answer.status_code < 500, (what, answer.text)
    if answer.status_code >= 400 and answer.mimetype == "application/problem+json":
        assert answer.get_json()["detail"], what
    answer.close()


@pytest.mark.slow
@pytest.mark.on_both_databases
def test_parts_of_paths(app: Flask, client: FlaskClient, known: dict[str, str], operator: dict[str, str]) -> None:
    for rule in rules(app, "GET"):
        for path in paths(rule, known):
            in_words(client.get(path), path)
            in_words(client.get(path, headers=operator), path)


@pytest.mark.slow
@pytest.mark.on_both_databases
def test_parameters(
    app: Flask, client: FlaskClient, known: dict[str, str], operator: dict[str, str], figure: Figure
) -> None:
    # It divides neither the number of names nor that of values: each value meets each name, on one route or another.
    step = figure(31, release=1)
    for rule, name, value in islice(product(rules(app, "GET"), NAMES, VALUES), 0, None, step):
        query = f"{filled(rule, known)}?{name}={value}"
        in_words(client.get(query, headers=operator), query)


@pytest.mark.on_both_databases
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/csv", "", "multipart/form-data; boundary="])
def test_bodies(app: Flask, client: FlaskClient, known: dict[str, str], kind: str) -> None:
    for rule in rules(app, "POST"):
        for body in BODIES:
            path = filled(rule, known)
            answer = client.post(path, data=body, content_type=kind, headers={"Origin": SHOP})
            assert 400 <= answer.status_code < 500 or (path, answer.status_code) == ("/v1/receipts/verify", 200)
            in_words(answer, f"{path} {body[:20]!r}")


def test_headers(client: FlaskClient, body: Any, operator: dict[str, str]) -> None:
    sent = json.dumps(body()).encode()
    for name in ("Accept", "Accept-Language", "Accept-Encoding", "Origin", "If-None-Match", "Cookie", "Authorization",
                 "Content-Length", "Sec-Fetch-Site", "Range"):  # fmt: skip
        for value in ("", "x", ";;;", "q=9", "é", "*" * 5000, "-1", "bytes=9-1", "Bearer", "consent-session=\x7f"):
            in_words(client.get("/widget/shop.js", headers={name: value}), name)
            in_words(client.get("/v1/sites/shop/decisions", headers=operator | {name: value}), name)
            headers = {"Origin": SHOP} | {name: value}
            in_words(client.post("/v1/sites/shop/decisions", data=sent, headers=headers), name)


def test_forms(ada: Person) -> None:
    for path in ("/sign-in", "/sign-in/link", "/console/sites/shop/find"):
        for value in ("", "\x00", "\ud7ff", "a" * 70000, "a@b@c", "é", "a.b.c", "{}", "[" * 2000):
            page = ada.open("/sign-in").text
            form = re.search(r'name="form_token" value="([\w-]{43})"', page)
            assert form
            for name in ("email", "password", "next", "t", "again", "receipt"):
                in_words(ada.browser.post(path, data={"form_token": form[1], name: value}), f"{path} {name}")
