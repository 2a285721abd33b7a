"""What is signed opens to its signature alone, and every command says what it does."""

import pytest
from flask import Flask

from consent_server.access.routes import RIGHTS
from consent_server.app import create_app
from tests.support.factories import settings_for


@pytest.fixture(scope="module")
def any_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("contract")
    return create_app(settings_for(folder, f"sqlite:///{folder / 'consent.sqlite3'}"))


def test_a_form_that_stands_on_nobodys_page_is_refused(any_app: Flask) -> None:
    for path in (
        "/console/sites/shop/experiment",
        "/console/sites/shop/find",
        "/console/sites/shop/rates/link",
        "/console/sites/new",
        "/console/sites/shop/settings",
        "/console/sites/shop/settings/file",
        "/console/sites/shop/settings/plan",
        "/console/sites/shop/settings/preview",
        "/sign-in",
        "/sign-in/link",
        "/sign-out",
    ):
        assert any_app.test_client().post(path).status_code == 403, path


@pytest.mark.parametrize("route", [route for route in RIGHTS if "/receipts/<link>" in route])
def test_a_link_without_a_signature_is_nobodys(any_app: Flask, route: str) -> None:
    method, path = route.split()
    bare = path.replace("<link>", "01a20959-a77a-7518-936b-f2062a57b346")
    assert any_app.test_client().open(bare, method=method).status_code == 401
    assert any_app.test_client().open(bare.replace("346", "346.c2ln"), method=method).status_code == 404


@pytest.mark.parametrize("link", ["x", "eyJzaXRlIjoic2hvcCJ9.c2ln", ".eJw9.c2ln", "%00"])
def test_a_report_without_a_signature_is_nobodys(any_app: Flask, link: str) -> None:
    problem = any_app.test_client().get(f"/reports/{link}")
    assert problem.status_code == 404
    assert problem.get_json()["type"] == "/problems/unknown-report"


def test_no_command_is_without_help(any_app: Flask) -> None:
    ours = [group for group in any_app.cli.commands.values() if group.callback is None or group.help]
    assert {"site", "receipt", "key"} <= {command.name for command in ours}
    for name in ("site", "receipt", "key"):
        group = any_app.cli.commands[name]
        for command in getattr(group, "commands", {}).values():
            assert command.help, f"{name} {command.name}"
