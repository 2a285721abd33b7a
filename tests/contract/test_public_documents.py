"""Notices, signals, health: what anyone may read."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.core.context import Context
from tests.support.factories import PUBLIC_URL, TOP, TYPEFORM, VENDORS, Clock, settings_for, site_file
from tests.support.postgresql import PostgreSQL
from tests.support.sites import Apply


def test_a_notice_is_named_by_the_hash_of_its_bytes(client: FlaskClient, notice: str) -> None:
    archived = client.get(f"/v1/notices/{notice}")
    assert (archived.status_code, archived.mimetype) == (200, "application/json")
    assert hashlib.sha256(archived.data).hexdigest() == notice
    assert archived.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert archived.headers["Access-Control-Allow-Origin"] == "*"
    body = json.loads(archived.data)
    # RFC 8785 of what JSON and JavaScript agree on: sorted keys, no blanks.
    assert json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == archived.data
    assert body["texts"].keys() == {"en", "fr"}
    again = client.get(f"/v1/notices/{notice}", headers={"If-None-Match": archived.headers["ETag"]})
    assert again.status_code == 304


def test_the_current_notice_and_the_one_before(client: FlaskClient, notice: str, apply_site: Apply) -> None:
    before = client.get("/v1/sites/shop/notice").data
    assert hashlib.sha256(before).hexdigest() == notice
    newer = apply_site(site_file(vendors=VENDORS + TYPEFORM))
    response = client.get("/v1/sites/shop/notice")
    assert hashlib.sha256(response.data).hexdigest() == newer
    assert response.headers["Cache-Control"] == "no-cache"
    assert client.get(f"/v1/notices/{notice}").data == before


@pytest.mark.parametrize("named", ["0" * 64, "x", "A" * 64, "%00", "0" * 63 + "%0a"])
def test_an_unknown_notice(client: FlaskClient, named: str) -> None:
    assert client.get(f"/v1/notices/{named}").status_code == 404


def test_nothing_of_a_notice_is_an_id(client: FlaskClient, notice: str) -> None:
    text = client.get(f"/v1/notices/{notice}").text
    for hidden in ("G-ABCD123456", "AW-123456789", "1234567890123456", "http://127.0.0.1"):
        assert hidden not in text


def test_global_privacy_control_is_honoured(client: FlaskClient) -> None:
    response = client.get("/.well-known/gpc.json")
    assert response.mimetype == "application/json"
    said = response.get_json()
    assert said["gpc"] is True
    assert set(said) <= {"gpc", "lastUpdate"}


@pytest.mark.on_both_databases
def test_it_is_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json()["status"] == "ready"


@pytest.mark.on_both_databases
def test_without_migrations_it_is_alive_and_not_ready(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    if dialect == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        server.execute("CREATE DATABASE without_migrations")
        url = server.url("without_migrations")
    app = create_app(settings_for(tmp_path, url))
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "consent migrate" in response.get_json()["detail"]
    assert "Retry-After" in response.headers
    assert "consent migrate" in client.get("/widget/shop.js").get_json()["detail"]
    listed = app.test_cli_runner().invoke(args=["site", "list"])
    assert (listed.exit_code, listed.stdout) == (1, "")
    assert "consent migrate" in listed.stderr
    app.extensions["consent"].database.engine.dispose()


@pytest.mark.on_both_databases
def test_a_notice_that_comes_back_is_the_same(client: FlaskClient, notice: str, apply_site: Apply) -> None:
    apply_site(site_file(TOP.replace("Example Shop", "Summer Shop")))
    assert apply_site(site_file()) == notice
    assert hashlib.sha256(client.get("/v1/sites/shop/notice").data).hexdigest() == notice


@pytest.mark.parametrize("contact", ["mailto:security@shop.example", "https://shop.example/security", "tel:+1-201-555"])
def test_whom_to_tell_of_a_hole(
    client: FlaskClient, services: Context, clock: Clock, notice: str, contact: str
) -> None:
    assert client.get("/.well-known/security.txt").status_code == 404
    services.settings = replace(services.settings, security_contact=contact)
    answer = client.get("/.well-known/security.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == contact
    assert fields["Canonical"] == f"{PUBLIC_URL}/.well-known/security.txt"
    expires = datetime.fromisoformat(fields["Expires"])
    assert clock() < expires < clock() + timedelta(days=365)
