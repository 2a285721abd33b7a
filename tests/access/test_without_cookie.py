"""Whoever sends a form without the cookie is told what keeps it away, and not to try the same again."""

from dataclasses import replace

import pytest
from flask import Flask

from consent_server.core.context import context_of


@pytest.mark.parametrize(
    ("scheme", "says"), [("http", "https://consent.example/sign-in"), ("https", "Allow cookies for this address")]
)
def test_a_form_without_a_cookie_is_told_why(app: Flask, scheme: str, says: str) -> None:
    answer = app.test_client().post("/sign-in", base_url=f"{scheme}://consent.example", data={"form_token": "x"})
    assert answer.status_code == 403
    assert says in answer.get_json()["detail"]


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_the_cookie_is_for_the_consoles_own_address(app: Flask, scheme: str, secure: bool) -> None:
    # Consoles within the house, by http, of a server that the world reaches by https.
    services = context_of(app)
    services.settings = replace(services.settings, console_url=f"{scheme}://10.0.0.5:8001")
    page = app.test_client().get("/sign-in", base_url="http://10.0.0.5:8001")
    assert page.status_code == 200
    assert ("Secure" in page.headers["Set-Cookie"]) is secure
