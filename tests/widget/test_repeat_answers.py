"""A script that is asked for in the same words is answered the same, and the application is not asked again."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from flask import Flask, request, request_started
from flask.testing import FlaskClient
from werkzeug.http import parse_date
from werkzeug.test import TestResponse

from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable
from consent_server.sites.current_site import CurrentSites
from consent_server.widget import repeat_answers
from consent_server.widget import web as embed
from consent_server.widget.serve import ServeWidget
from tests.support.factories import SHOP, TOP, site_file
from tests.support.regions import WORLD
from tests.support.sites import Apply

SCRIPTS = [f"/widget/shop{part}.js" for part in ("", "/preferences", "/details", "/declaration", "/debug")]
# Goes to the application, which makes no difference for it.
UNUSUAL = {"Range": "bytes=0-9"}


@pytest.fixture
def asked(app: Flask) -> Iterator[list[str]]:
    """The paths that the application itself was asked for."""
    paths: list[str] = []

    def note(_: Flask, **__: object) -> None:
        paths.append(request.path)

    with request_started.connected_to(note, app):
        yield paths


def said(response: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [(name, value) for name, value in response.headers if name != "Date"]
    return response.status_code, headers, response.data


@pytest.mark.parametrize("path", SCRIPTS)
def test_both_ways_say_the_same(client: FlaskClient, asked: list[str], path: str) -> None:
    for encoding, language in product(["br", "gzip, br", "identity", None], ["de", "fr;q=0.5, en", "xx", None]):
        wished = {"Accept-Encoding": encoding, "Accept-Language": language, "Origin": SHOP}
        words = {name: value for name, value in wished.items() if value is not None}
        tag = client.get(path, headers=words | UNUSUAL).headers["ETag"]
        for known in ({}, {"If-None-Match": tag}, {"If-None-Match": f'W/{tag}, "x"'}, {"If-None-Match": '"old"'}):
            made = client.get(path, headers=words | known | UNUSUAL)
            first = client.get(path, headers=words | known)
            asked.clear()
            again = client.get(path, headers=words | known)
            assert asked == []
            assert said(again) == said(first) == said(made)


@pytest.mark.parametrize("changed", [
    {"query_string": {"lang": "fr"}}, {"method": "HEAD"}, {"headers": {"If-Match": '"x"'}}, {"method": "OPTIONS"},
    {"headers": {"Access-Control-Request-Private-Network": "true"}}, {"path": "/widget/nobody.js"},
])  # fmt: skip
def test_whatever_is_unusual_goes_to_the_application(
    client: FlaskClient, asked: list[str], changed: dict[str, Any]
) -> None:
    client.get("/widget/shop.js")
    asked.clear()
    for _ in range(2):
        client.open(**({"path": "/widget/shop.js"} | changed))
    assert len(asked) == 2


def test_what_is_new_is_seen(client: FlaskClient, asked: list[str], apply_site: Apply) -> None:
    before = [client.get("/widget/shop.js").data for _ in range(2)]
    apply_site(site_file(TOP.replace("Example Shop", "Another Shop")))
    after = [client.get("/widget/shop.js").data for _ in range(3)]
    assert len(set(before)) == len(set(after)) == 1
    assert before[0] != after[0]
    assert len(asked) == 2


def test_a_trace_has_each(client: FlaskClient, app: Flask, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "traces", object())
    for _ in range(2):
        client.get("/widget/shop.js")
    assert len(asked) == 2


def test_it_is_dated_now(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"If-None-Match": client.get("/widget/shop.js").headers["ETag"]}
    client.get("/widget/shop.js", headers=known)
    monkeypatch.setattr(repeat_answers, "http_date", lambda: "Fri, 01 Jan 2100 00:00:00 GMT")
    date = parse_date(client.get("/widget/shop.js", headers=known).headers["Date"])
    assert date is not None
    assert date.year == 2100


def test_no_more_is_kept_than_there_is_room_for(
    client: FlaskClient, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeat_answers, "MOST", 2)
    languages = ["de", "fr", "en", "de"]
    for language in languages:
        client.get("/widget/shop.js", headers={"Accept-Language": language})
    assert len(asked) == len(languages)


def test_who_cannot_know_whether_it_is_so_does_not_repeat_it(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/widget/shop.js")

    def away(*_: object) -> None:
        raise StorageUnavailable("away")

    monkeypatch.setattr(CurrentSites, "get", away)
    assert client.get("/widget/shop.js").status_code == 503


def test_what_was_made_of_the_site_as_it_was_is_not_given_as_what_it_is(
    app: Flask, services: Context, apply_site: Apply
) -> None:
    apply_site(WORLD)
    before = services[CurrentSites].get("shop")
    apply_site(WORLD.replace("Example Shop", "Another Shop"))
    for was, repeated in (
        (before, False),
        (before.regions["america"], False),
        (services[CurrentSites].get("shop"), True),
    ):
        with app.test_request_context("/widget/shop.js"):
            embed._compressed(was, services[ServeWidget].main(was, "en"))
            assert (repeat_answers._MADE_OF in request.environ) is repeated
