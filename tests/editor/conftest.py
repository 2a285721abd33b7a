"""An operator at the settings of the shop."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from consent_server.core.context import Context
from consent_server.sites.export_file import export_file
from consent_server.sites.publish import publish_notice
from consent_server.sites.site_file import read_site_file
from tests.support.factories import site_file
from tests.support.people import HTML, Person, token_of

SETTINGS = "/console/sites/shop/settings"
# With comments, which are to stay.
FILE = f"# The shop.\n{site_file()}"


@dataclass
class Editor:
    """The settings in somebody's browser, as they were loaded last."""

    person: Person
    path: str = SETTINGS
    page: str = ""

    def open(self) -> "Editor":
        """Load the page."""
        self.page = self.person.open(self.path).text
        return self

    def send(self, act: str = "", to: str = "", **fields: Any) -> TestResponse:
        """Send what was loaded with these fields changed: "controller.name" as `controller__name`."""
        given = {name.replace("__", "."): value for name, value in fields.items()}
        return self.post({**given, "act": act}, to or self.path)

    def post(self, given: Mapping[str, Any], to: str) -> TestResponse:
        """Send these fields alone, as a browser that knows no others would."""
        data = {"form_token": token_of(self.page), "version": self.version, **given}
        return self.person.browser.post(to, data=data, headers=HTML)

    def publish(self, path: str = f"{SETTINGS}/plan", page: str = "", title: str = "") -> TestResponse:
        """Open the plan, or take the one that was opened before, and publish what it says."""
        self.page = page or self.person.open(path).text
        given = {name: self.hidden(name) for name in ("form_token", "draft", "state")}
        return self.person.browser.post(path, data={**given, "title": title}, headers=HTML)

    @property
    def version(self) -> str:
        """That of the text that the form is of; "" on a page that has none."""
        return self.hidden("version") if 'name="version"' in self.page else ""

    def hidden(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found, self.page
        return unescape(found[1])


@pytest.fixture
def kept(services: Context, app: Flask) -> Context:
    """The shop, applied from a file that is kept."""
    text = FILE
    publish_notice(services.database, read_site_file(text), services.settings.public_url, services.now(), text=text)
    return services


@pytest.fixture
def editor(kept: Context, olga: Person) -> Editor:
    """The operator at the form."""
    return Editor(olga).open()


@pytest.fixture
def exported(kept: Context) -> Callable[[], str]:
    """The file in force, as `site export` gives it."""
    return lambda: export_file(kept.database, "shop")
