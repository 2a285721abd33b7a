"""Counting in Redis, and what happens while Redis is away: limits hold, and no visitor's decision is lost."""

import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.http.rate_limit import WIDER, networks
from tests.support.factories import RIVAL, Body, settings_for
from tests.support.people import Person
from tests.support.process import free_port
from tests.support.visitor import post

LIMIT = 3
# Far more than one refused connection takes, far less than a visitor's browser waits for.
SOON = 2.0


@pytest.fixture
def cut_off(services: Context, notice: str) -> Iterator[Flask]:
    """A server whose Redis does not answer."""
    settings = settings_for(
        services.settings.instance,
        services.settings.database_url,
        rate_limit=f"{LIMIT} per minute",
        rate_limit_url=f"redis://:TELLTALE@127.0.0.1:{free_port()}/0",
    )
    app = create_app(settings, now=services.now)
    yield app
    app.extensions["consent"].database.engine.dispose()


def test_decisions_are_recorded_and_limited_without_redis(
    cut_off: Flask, body: Body, caplog: pytest.LogCaptureFixture
) -> None:
    client, started = cut_off.test_client(use_cookies=False), time.monotonic()
    with caplog.at_level(logging.WARNING, "consent_server"):
        statuses = [post(client, body()).status_code for _ in range(LIMIT)]
        refused = post(client, body())
    assert statuses == [201] * LIMIT
    assert (refused.status_code, refused.get_json()["type"]) == (429, "/problems/too-many-requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert time.monotonic() - started < SOON
    (said,) = caplog.messages
    assert "each process counts" in said
    assert "TELLTALE" not in said
    assert post(client, body(), environ={"REMOTE_ADDR": "203.0.113.9"}).status_code == 201


def test_guesses_at_a_password_are_limited_without_redis(cut_off: Flask) -> None:
    person = Person(cut_off, "ada")
    statuses = [person.sign_in("not the password").status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_a_redis_that_hangs_holds_nobody_up_for_long(services: Context, notice: str, body: Body) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        settings = settings_for(services.settings.instance, services.settings.database_url, rate_limit_url=url)
        app = create_app(settings, now=services.now)
        client, started = app.test_client(use_cookies=False), time.monotonic()
        assert [post(client, body()).status_code for _ in range(5)] == [201] * 5
        assert time.monotonic() - started < SOON
    app.extensions["consent"].database.engine.dispose()


def test_what_needs_no_count_is_untouched(cut_off: Flask) -> None:
    client: FlaskClient = cut_off.test_client(use_cookies=False)
    assert client.get("/widget/shop.js").status_code == 200
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("address", "known_by"),
    [
        ("203.0.113.9", ("203.0.113.9", "")),
        ("::ffff:203.0.113.9", ("203.0.113.9", "")),
        ("::FFFF:CB00:7109", ("203.0.113.9", "")),
        ("2001:db8:1:2:3:4:5:6", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("2001:DB8:1:2::", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("fe80::1%eth0", ("fe80::/64", "fe80::/48")),
        ("203.0.113.9:50123", ("203.0.113.9", "")),
        ("[2001:db8:1:2::7]", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("[2001:db8:1:2::7]:50123", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("[::ffff:203.0.113.9]:50123", ("203.0.113.9", "")),
        ("", ("", "")),
        ("unix:", ("unix:", "")),
        ("a:b:c", ("a:b:c", "")),
    ],
)
def test_whom_an_address_stands_for(address: str, known_by: tuple[str, str]) -> None:
    assert networks(address) == known_by


@pytest.fixture
def few(services: Context, notice: str) -> Iterator[Flask]:
    """A server on which a network may post three times a minute."""
    app = create_app(replace(services.settings, rate_limit=f"{LIMIT} per minute"), now=services.now)
    yield app
    app.extensions["consent"].database.engine.dispose()


def statuses(app: Flask, body: Body, addresses: list[str]) -> list[int]:
    client = app.test_client(use_cookies=False)
    return [post(client, body(), environ={"REMOTE_ADDR": address}).status_code for address in addresses]


def test_every_address_of_a_subscriber_is_one(few: Flask, body: Body) -> None:
    assert statuses(few, body, [f"2001:db8:0:7::{host}" for host in range(1, 6)]) == [201] * LIMIT + [429] * 2
    assert statuses(few, body, ["2001:db8:0:8::1"]) == [201]
    assert statuses(few, body, [f"::ffff:203.0.113.{last}" for last in (9, 9, 9, 9, 8)]) == [201] * 3 + [429, 201]
    assert statuses(few, body, ["203.0.113.9"]) == [429]


def test_the_networks_of_a_subscriber_together_have_a_limit_too(few: Flask, body: Body) -> None:
    took = statuses(few, body, [f"2001:db8:9:{net:x}::1" for net in range(LIMIT * WIDER + 2)])
    assert took == [201] * LIMIT * WIDER + [429] * 2
    assert statuses(few, body, ["2001:db8:a::1"]) == [201]


def test_a_site_has_a_ceiling_where_the_settings_name_one(services: Context, notice: str, body: Body) -> None:
    app = create_app(replace(services.settings, site_rate_limit="4 per minute"), now=services.now)
    assert statuses(app, body, [f"198.51.100.{last}" for last in range(6)]) == [201] * 4 + [429] * 2
    client = app.test_client(use_cookies=False)
    shown = post(client, {"notice": notice, "language": "en"}, path="shown", environ={"REMOTE_ADDR": "192.0.2.1"})
    assert shown.status_code == 429
    assert "posted to this site" in shown.get_json()["detail"]
    rival = client.get("/v1/sites/rival/notice").headers["ETag"].strip('"')
    sent = body(notice=rival, page=f"{RIVAL}/")
    assert post(client, sent, site="rival", origin=RIVAL).status_code == 201
    app.extensions["consent"].database.engine.dispose()
