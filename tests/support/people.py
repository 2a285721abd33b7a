"""The cast at their browsers: Olga operates, Max does marketing, Ada audits, Rita belongs to the rival."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.access.guard import COOKIE

PASSWORD = "correct horse battery staple"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CAST: dict[str, tuple[str, ...]] = {
    "olga": ("--role", "operator"),
    "max": ("--role", "marketer", "--site", "shop"),
    "ada": ("--role", "auditor", "--site", "shop"),
    "rita": ("--role", "auditor", "--site", "rival"),
}


# What a browser says of a page that a person opens.
OPENED = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def browser_of(app: Flask) -> FlaskClient:
    """A browser in which a person opens pages."""
    browser = app.test_client()
    browser.environ_base |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in OPENED.items()}
    return browser


class Person:
    """Somebody at a browser that keeps cookies."""

    def __init__(self, app: Flask, name: str) -> None:
        self.app, self.email = app, f"{name}@example.org"
        self.browser = browser_of(app)

    def invited(self, *options: str) -> str:
        """The path of the one-time link that `user create` prints."""
        result = self.app.test_cli_runner().invoke(args=["user", "create", self.email, *options])
        assert result.exit_code == 0, result.output
        parts = urlsplit(result.stdout.strip())
        return f"{parts.path}?{parts.query}"

    def open(self, path: str) -> TestResponse:
        return self.browser.get(path, headers=HTML)

    def send(self, path: str, fields: Mapping[str, Any], at: str | None = None) -> TestResponse:
        """Fill in the form of a page and send it."""
        page = self.open(at or path)
        return self.browser.post(path, data={"form_token": token_of(page.text), **fields}, headers=HTML)

    def accept(self, link: str, password: str = PASSWORD) -> TestResponse:
        """Use a one-time link."""
        sent = link.partition("?t=")[2]
        return self.send("/sign-in/link", {"t": sent, "password": password, "again": password}, at=link)

    def sign_in(self, password: str = PASSWORD, then: str = "") -> TestResponse:
        return self.send("/sign-in", {"email": self.email, "password": password, "next": then})

    @property
    def cookie(self) -> str:
        found = self.browser.get_cookie(COOKIE)
        return found.value if found else ""


def token_of(page: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="form_token" value="([\w-]{43})"', page)
    assert found, page
    return unescape(found[1])
