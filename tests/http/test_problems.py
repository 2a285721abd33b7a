"""Every error is a problem, whatever is asked and however (RFC 9457)."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.core import errors
from consent_server.core.context import Context
from consent_server.core.errors import Refusal
from consent_server.http.problems import PROBLEMS
from tests.support.factories import SHOP
from tests.support.visitor import BROWSER

REFUSALS = [refusal for refusal in vars(errors).values() if isinstance(refusal, type) and issubclass(refusal, Refusal)]


@pytest.mark.parametrize("refusal", [r for r in REFUSALS if r is not Refusal], ids=lambda r: r.__name__)
def test_every_refusal_has_its_row(refusal: type[Refusal]) -> None:
    status, slug, title = PROBLEMS[refusal]
    assert 400 <= status < 600
    assert re.fullmatch("[a-z]+(-[a-z]+)*", slug)
    assert title
    assert refusal.__doc__


def test_no_two_refusals_share_a_page() -> None:
    slugs = [slug for _, slug, _ in PROBLEMS.values()]
    assert len(set(slugs)) == len(slugs)


def test_every_type_leads_to_a_page(client: FlaskClient) -> None:
    for status, slug, title in PROBLEMS.values():
        response = client.get(f"/problems/{slug}")
        assert (response.status_code, response.mimetype) == (200, "text/html")
        assert str(status) in response.text
        assert title.replace("'", "&#39;") in response.text
    assert client.get("/problems/nothing").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404), ("POST", "/healthz", 405), ("DELETE", "/widget/shop.js", 405),
        ("GET", "/v1/sites/nowhere/notice", 404), ("GET", "/v1/notices/x", 404), ("GET", "/assets/nothing.css", 404),
        ("GET", "/assets/../app.py", 404), ("GET", "/assets/%2e%2e/app.py", 404), ("GET", "/v1/widgets/x", 404),
        ("GET", "/problems/nothing", 404), ("GET", "/v1/receipts/x", 401), ("POST", "/v1/receipts/verify", 415),
    ],
)  # fmt: skip
def test_every_error_is_a_problem(client: FlaskClient, method: str, path: str, status: int) -> None:
    response = client.open(path, method=method, headers={"Accept": "application/json"})
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    problem = response.get_json()
    assert problem["status"] == status
    assert isinstance(problem["type"], str)
    assert problem["title"]
    assert problem["detail"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_gets_a_page(client: FlaskClient) -> None:
    response = client.get("/v1/sites/<script>/notice", headers={"Accept": BROWSER})
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "<script>" not in response.text
    assert "No such site" in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"


def test_what_fails_inside_says_an_incident_and_nothing_else(
    services: Context, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(services.settings)

    @app.get("/fails")
    def fails() -> str:
        raise RuntimeError("the password is SECRET")

    response = app.test_client().get("/fails?token=SECRET")
    problem: dict[str, Any] = response.get_json()
    incident = problem["incident"]
    assert problem == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": f"Something went wrong on the server. Quote this incident when you report it: {incident}",
        "incident": incident,
    }
    assert incident in caplog.text
    assert "SECRET" not in response.text
    page = app.test_client().get("/fails", headers={"Accept": BROWSER})
    assert (page.status_code, page.mimetype) == (500, "text/html")
    assert "SECRET" not in page.text
    app.extensions["consent"].database.engine.dispose()


PREFLIGHT = {"Origin": SHOP, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.mark.parametrize("path", ["/v1/sites/shop/decisions", "/v1/sites/shop/shown", "/v1/receipts/verify"])
def test_public_posts_may_come_from_any_page(client: FlaskClient, path: str) -> None:
    response = client.options(path, headers=PREFLIGHT)
    assert response.status_code in (200, 204)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert response.headers["Access-Control-Allow-Headers"].lower() == "content-type"
    assert "Access-Control-Allow-Credentials" not in response.headers
    refused = client.post(path, data="{", content_type="text/plain", headers={"Origin": SHOP})
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/assets/page.css", "/problems/unknown-site", "/nothing"])
def test_only_public_routes_are_open_across_origins(app: Flask, path: str) -> None:
    with app.test_client().get(path, headers={"Origin": SHOP}) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
