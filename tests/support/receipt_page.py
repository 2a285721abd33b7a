"""A receipt's page as a person has it in a browser: by its link alone."""

from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def path(said: dict[str, Any]) -> str:
    """Where a receipt is."""
    return urlsplit(str(said["receipt_url"])).path


def press(client: FlaskClient, said: dict[str, Any], what: str = "withdrawal", **headers: str) -> TestResponse:
    """Press a button of the receipt's page, as any browser does: no script, no cookie."""
    origin = {"Origin": "https://consent.example", "Sec-Fetch-Site": "same-origin"}
    return client.post(f"{path(said)}/{what}", headers=HTML | origin | headers)


def page(client: FlaskClient, said: dict[str, Any], **headers: str) -> str:
    """Its text."""
    response = client.get(path(said), headers=HTML | headers)
    assert response.status_code == 200
    return response.text


def has_button(text: str, what: str = "withdrawal") -> bool:
    """Whether the page offers that."""
    return f'/{what}"><button' in text
