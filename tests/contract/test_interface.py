"""Every route says who may ask, and every command what it does."""

import re

import pytest
from flask import Flask

from consent_server.app import create_app
from tests.support.factories import settings_for

# public: anyone; link: whoever holds the signed link; report: the same, until it ends; console: a session or a token.
STANCE = {
    "/assets/<path:filename>": "public",
    "/v1/sites/<key>/decisions": "public",
    "/v1/sites/<key>/shown": "public",
    "/v1/sites/<key>/notice": "public",
    "/v1/notices/<notice_hash>": "public",
    "/v1/widgets/<widget_hash>": "public",
    "/v1/receipts/<link>": "link",
    "/v1/receipts/<link>/proof": "link",
    "/v1/receipts/<link>/withdrawal": "link",
    "/v1/receipts/<link>/erasure": "link",
    "/v1/receipts/verify": "public",
    "/widget/<key>.js": "public",
    "/sites/<key>/choice": "public",
    "/widget/<key>/preferences.js": "public",
    "/widget/<key>/details.js": "public",
    "/ledger/<key>/checkpoint": "public",
    "/ledger/<key>/checkpoints": "public",
    "/ledger/<key>/consistency": "public",
    "/ledger/<key>/<path:path>": "public",
    "/ledger/<key>/timestamps": "public",
    "/ledger/<key>/timestamps/<digest>.tsr": "public",
    "/.well-known/jwks.json": "public",
    "/.well-known/gpc.json": "public",
    "/openapi.json": "public",
    "/verify": "public",
    "/v1/notices/<notice_hash>/preview": "public",
    "/v1/notices/<notice_hash>/pictures/<picture>.png": "public",
    "/v1/notices/<notice_hash>/preview/<widget>/widget/<path:script>": "public",
    "/sites/<key>/declaration": "public",
    "/widget/<key>/declaration.js": "public",
    "/sign-in": "public",
    "/sign-in/link": "public",
    "/v1/sites/<key>/conversions": "public",
    "/v1/sites/<key>/rates": "console",
    "/v1/sites/<key>/rates.csv": "console",
    "/reports/<link>": "report",
    "/docs/rates": "public",
    "/v1/sites/<key>/evidence": "console",
    "/v1/sites/<key>/experiment": "console",
    "/metrics": "console",
    "/docs": "public",
    "/healthz": "public",
    "/readyz": "public",
    "/problems/<slug>": "public",
}


@pytest.fixture(scope="module")
def any_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("contract")
    return create_app(settings_for(folder, f"sqlite:///{folder / 'consent.sqlite3'}"))


def console_routes(app: Flask) -> set[str]:
    """Pages for people with a role."""
    return {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/console")} | {"/sign-out"}


def test_every_route_has_a_stance(any_app: Flask) -> None:
    assert {rule.rule for rule in any_app.url_map.iter_rules()} - console_routes(any_app) == STANCE.keys()


def test_what_is_for_some_is_for_nobody_unknown(any_app: Flask) -> None:
    asked = console_routes(any_app) | {path for path, stance in STANCE.items() if stance == "console"}
    for rule in any_app.url_map.iter_rules():
        # The one address where anyone may post and only auditors may read.
        if rule.rule not in asked | {"/v1/sites/<key>/decisions"} or "GET" not in (rule.methods or ()):
            continue
        response = any_app.test_client().get(re.sub("<[^>]+>", "shop", rule.rule))
        if rule.rule.startswith(("/v1/", "/metrics")):
            assert response.status_code == 401, rule
        else:
            assert response.status_code == 303, rule
            assert response.location.startswith("/sign-in?next="), rule


def test_a_form_that_stands_on_nobodys_page_is_refused(any_app: Flask) -> None:
    for path in (
        "/console/sites/shop/experiment",
        "/console/sites/shop/find",
        "/console/sites/shop/rates/link",
        "/sign-in",
        "/sign-in/link",
        "/sign-out",
    ):
        assert any_app.test_client().post(path).status_code == 403, path


@pytest.mark.parametrize("path", [path for path, stance in STANCE.items() if stance == "link"])
def test_a_link_without_a_signature_is_nobodys(any_app: Flask, path: str) -> None:
    client = any_app.test_client()
    ask = client.post if path.endswith(("/withdrawal", "/erasure")) else client.get
    bare = path.replace("<link>", "01a20959-a77a-7518-936b-f2062a57b346")
    assert ask(bare).status_code == 401
    assert ask(bare.replace("346", "346.c2ln")).status_code == 404


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
