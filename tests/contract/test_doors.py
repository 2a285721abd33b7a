"""What no route lets in or out: numbers beyond a column, redirects to somebody's host, secrets in a log line."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.files import keep_from_others
from consent_server.core.resources import ROOT
from consent_server.people.own_path import own_path
from tests.support.cast import token
from tests.support.people import Person
from tests.support.served import GunicornConf

POWERS = [bits + step for bits in (2**31, 2**32, 2**53, 10**15, 10**18, 2**63, 2**64) for step in (-1, 0, 1)]
NUMBERS = ["-1", "0", *map(str, POWERS), "9" * 40, "１２"]
# Every address that takes a number, with the number as N.
NUMBERED = (
    "/ledger/shop/timestamps?before=N", "/ledger/shop/timestamps?limit=N", "/ledger/shop/checkpoints?after=N",
    "/ledger/shop/checkpoints?limit=N", "/ledger/shop/consistency?from=N&to=N", "/ledger/shop/consistency?from=0&to=N",
    "/ledger/shop/tile/N/000", "/ledger/shop/tile/0/N", "/ledger/shop/tile/0/x999/x999/x999/x999/x999/999",
    "/ledger/shop/tile/63/x999/x999/x999/x999/x999/999.p/N", "/v1/sites/shop/decisions?limit=N",
    "/v1/sites/shop/decisions?cursor=N-N", "/v1/sites/shop/decisions?cursor=1-N", "/v1/sites/shop/decisions?cursor=N-1",
    "/v1/sites/shop/decisions?from=N", "/v1/sites/shop/evidence?to=N", "/v1/sites/shop/rates?from=N",
    "/console/lookups?before=N", "/console/sites/shop/sample?n=N", "/console/sites/shop/sample?size=N&seed=x&n=1",
    "/console/sites/shop/gaps?from=N", "/console/sites/shop/records?cursor=N-N",
    "/console/sites/shop/erasure-requests?page=N",
)  # fmt: skip
DAYS = (
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "1969-12-31T23:59:59.999999+23:59",
    "9999-12-31T23:59:59Z",
)


@pytest.mark.on_both_databases
def test_no_number_is_too_large_for_an_answer(app: Flask, client: FlaskClient, recorded: list[dict[str, Any]]) -> None:
    headers = token(app, "operator")
    for address in NUMBERED:
        for number in NUMBERS:
            answer = client.get(address.replace("N", number), headers=headers)
            assert answer.status_code < 500, (address, number)
            answer.close()
    for path in ("/v1/sites/shop/decisions", "/v1/sites/shop/evidence", "/v1/sites/shop/rates"):
        for day in DAYS:
            for name in ("from", "to"):
                answer = client.get(path, query_string={name: day}, headers=headers)
                assert answer.status_code < 500, (path, name, day)
                answer.close()


def test_every_address_that_takes_a_number_is_asked() -> None:
    asked = set(re.findall(r"[?&](\w+)=", "".join(NUMBERED)))
    described = {"before", "limit", "after", "from", "to", "size", "n", "cursor", "page"}
    assert described <= asked


def test_what_a_database_was_given_stands_in_no_error(app: Flask) -> None:
    assert app.extensions["consent"].database.engine.hide_parameters is True


@pytest.mark.parametrize(
    "path",
    ["//console", "//healthz", "/healthz//", "//evil.example/healthz", "/console//lookups", "/widget//shop.js",
     "/docs/", "/v1//sites/shop/notice", "///", "/sign-in/", "/assets//page.css", "/ledger/shop//checkpoint",
     "/\\evil.example"],
)  # fmt: skip
def test_no_path_leads_to_the_host_that_a_request_names(client: FlaskClient, path: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        answer = client.open(path, method=method, headers={"Host": "evil.example"})
        assert not 300 <= answer.status_code < 400, (method, path)
        assert "Location" not in answer.headers


def test_no_redirect_names_a_host(olga: Person, recorded: list[dict[str, Any]]) -> None:
    led = 0
    for rule in olga.app.url_map.iter_rules():
        address = re.sub(r"<(?:path:)?\w+>", "shop", rule.rule)
        for method in rule.methods or ():
            for browser in (olga.browser, olga.app.test_client()):
                answer = browser.open(address, method=method, headers={"Host": "evil.example", "Accept": "text/html"})
                if "Location" in answer.headers:
                    led += 1
                    assert re.match(r"/(?!/)", answer.location), (rule.rule, answer.location)
                answer.close()
    assert led > 10


@pytest.mark.parametrize(
    "then",
    ["/console/../x", "/console/./x", "/console/..", "/console/%2e%2e/x", "/console/%2E./x", "/console//evil.example",
     "/console/a\\b", "/console/%5c..", "/console/a%2fb", "/console/..;/x", "/console#x", "/console?a#b", "/console/é",
     "/console/x/../../../_consent", "/console/...", "/console/sites/shop/"],
)  # fmt: skip
def test_a_step_back_is_no_way_into_the_consoles(then: str) -> None:
    assert own_path(then) == "/console"


@pytest.mark.parametrize(
    "then",
    ["/console", "/console?x=/../y", "/console/sites/shop/records?action=save&from=2026-11-01",
     "/console/sites/a-b/records/0190b5e0-0000-4000-8000-000000000001", "/console/lookups?before=3"],
)  # fmt: skip
def test_what_leads_to_a_page_of_the_consoles_does(then: str) -> None:
    assert own_path(then) == then


def test_who_asks_what_may_be_posted_to_the_check_of_receipts_is_told_that(client: FlaskClient) -> None:
    asked = {"Origin": "https://x.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/receipts/verify", headers=asked)
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("wanted", ["", "pdf", "HTML", " html", "html\x00"])
def test_a_form_that_the_declaration_does_not_have(client: FlaskClient, notice: str, wanted: str) -> None:
    answer = client.get("/sites/shop/declaration", query_string={"format": wanted})
    assert (answer.status_code, answer.get_json()["type"]) == (400, "/problems/invalid-query")


SIGNATURE = "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE"
RECEIPT = "0190b5e0-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (f"/v1/receipts/{RECEIPT}.{SIGNATURE}", "/v1/receipts/…"),
        (f"/v1/receipts/{RECEIPT}.{SIGNATURE}/proof", "/v1/receipts/…/proof"),
        (f"/v1//receipts//{RECEIPT}", "/v1//receipts//…"),
        (f"/V1/Receipts/{RECEIPT}.x", "/V1/Receipts/…"),
        (f"/_consent/v1/receipts/{RECEIPT}", "/_consent/v1/receipts/…"),
        (f"/console/sites/shop/records/{RECEIPT}", "/console/sites/shop/records/…"),
        (f"/console/sites/shop/records/{RECEIPT.upper()}", "/console/sites/shop/records/…"),
        (f"/reports/eyJzaXRlIjoic2hvcCJ9.{SIGNATURE}", "/reports/…"),
        ("/reports/short", "/reports/…"),
        (f"/Reports/eyJzaXRlIjoic2hvcCJ9.{SIGNATURE}/", "/Reports/…/"),
        (f"/receipt/{RECEIPT}.{SIGNATURE}", "/receipt/…"),
        (f"/sign-in/link;t={SIGNATURE}", "/sign-in/link;…"),
        ("/v1/receipts/verify", "/v1/receipts/verify"),
        ("/widget/shop.js", "/widget/shop.js"),
        ("/ledger/shop/tile/0/x001/000.p/4", "/ledger/shop/tile/0/x001/000.p/4"),
        (f"/v1/notices/{'a' * 64}/pictures/{'b' * 64}.png", f"/v1/notices/{'a' * 64}/pictures/{'b' * 64}.png"),
    ],
)
def test_what_a_log_line_keeps_of_a_path(path: str, kept: str, gunicorn_conf: GunicornConf) -> None:
    assert gunicorn_conf()["path_without_secrets"](path) == kept


def test_what_the_server_writes_is_for_its_own_user_whoever_made_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o755)
    (folder / "consent.sqlite3").touch(0o644)
    program = (
        "import os; os.umask(0o022)\n"
        "from consent_server.app import start\nfrom flask_migrate import upgrade\n"
        "app = start()\nwith app.app_context():\n upgrade()\n"
        " with app.extensions['consent'].database.transaction():\n"
        "  print(*sorted(f'{name} {os.stat(name).st_mode & 0o7777:o}' for name in os.listdir('.')), sep='\\n')"
    )
    environ = {"CONSENT_INSTANCE": str(folder), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environ, capture_output=True, text=True, check=True
    )
    modes = dict(line.split() for line in done.stdout.splitlines())
    # What was there before keeps what its group may; the files beside it take the same from SQLite.
    assert {name for name in modes if "sqlite3" in name} >= {"consent.sqlite3", "consent.sqlite3-wal"}
    assert not any(int(mode, 8) & 0o007 for mode in modes.values()), modes
    assert modes["secret-key"] == "600"


def test_nothing_is_taken_from_a_file_that_is_not_there_or_is_kept_already(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch(0o640)
    keep_from_others([there, tmp_path / "not"])
    assert there.stat().st_mode & 0o777 == 0o640
