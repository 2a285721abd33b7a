"""Whoever sends a form without the cookie is told what keeps it away, and not to try the same again."""

import pytest
from flask import Flask


@pytest.mark.parametrize(
    ("scheme", "says"), [("http", "https://consent.example/sign-in"), ("https", "Allow cookies for this address")]
)
def test_a_form_without_a_cookie_is_told_why(app: Flask, scheme: str, says: str) -> None:
    answer = app.test_client().post("/sign-in", base_url=f"{scheme}://consent.example", data={"form_token": "x"})
    assert answer.status_code == 403
    assert says in answer.get_json()["detail"]
