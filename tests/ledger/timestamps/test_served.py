"""Timestamps as strangers, operators and auditors meet them: addresses, the notice's page, commands, the pack."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from consent_server import worker
from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.ledger.request_timestamps import Stamped
from tests.support.factories import settings_for
from tests.support.timestamp_authority import Maker, TimestampAuthority, openssl

Stamp = Callable[..., list[Stamped]]
Seal = Callable[[], int]


@pytest.mark.on_both_databases
def test_they_are_listed_newest_first(client: FlaskClient, sealed: Seal, stamp: Stamp) -> None:
    assert client.get("/ledger/shop/timestamps").get_json() == {"items": [], "next": None}
    sealed()
    done = stamp("shop")
    answer = client.get("/ledger/shop/timestamps")
    listed = answer.get_json()["items"]
    assert [(one["kind"], one["size"], one["digest"]) for one in listed] == [
        (one.subject.kind, one.subject.size, one.digest.hex()) for one in reversed(done)
    ]
    assert listed[0]["stamped_at"].endswith(".000Z")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.on_both_databases
def test_a_list_is_read_page_by_page(client: FlaskClient, sealed: Seal, stamp: Stamp) -> None:
    sealed()
    stamp("shop")
    found, following = [], "/ledger/shop/timestamps?limit=2"
    while following:
        page = client.get(following.removeprefix("https://consent.example")).get_json()
        found += [one["kind"] for one in page["items"]]
        following = page["next"]
    assert found == ["widget", "notice", "checkpoint"]
    for wrong in ("before=x", "limit=0", "limit=1001", "more=1"):
        assert client.get(f"/ledger/shop/timestamps?{wrong}").status_code == 400


def test_an_answer_is_served_as_the_authority_gave_it(
    client: FlaskClient, sealed: Seal, stamp: Stamp, maker: Maker, kept: Path
) -> None:
    sealed()
    stamp("shop")
    note = client.get("/ledger/shop/checkpoint").data
    url = f"/ledger/shop/timestamps/{sha256(note).hexdigest()}.tsr"
    assert url in client.get("/ledger/shop/timestamps").get_json()["items"][-1]["url"]
    answer = client.get(url)
    assert answer.mimetype == "application/timestamp-reply"
    assert "immutable" in answer.headers["Cache-Control"]
    (kept / "note").write_bytes(note)
    (kept / "answer.tsr").write_bytes(answer.data)
    command = ["ts", "-verify", "-data", "note", "-in", "answer.tsr", "-CAfile", str(maker.roots)]
    assert "Verification: OK" in openssl(kept, *command)


@pytest.mark.on_both_databases
def test_those_of_another_site_are_not_there(client: FlaskClient, notice: str, stamp: Stamp) -> None:
    stamp()
    assert client.get(f"/ledger/shop/timestamps/{notice}.tsr").status_code == 200
    for path in (f"rival/timestamps/{notice}", f"shop/timestamps/{'0' * 64}", "shop/timestamps/x"):
        answer = client.get(f"/ledger/{path}.tsr")
        assert (answer.status_code, answer.get_json()["type"]) == (404, "/problems/unknown-timestamp")
    assert client.get("/ledger/nobody/timestamps").status_code == 404


def test_the_page_of_a_notice_says_when_it_was_seen(client: FlaskClient, notice: str, stamp: Stamp) -> None:
    path = f"/v1/notices/{notice}?format=html&lang=en"
    assert "timestamp authority" not in client.get(path).text
    stamp()
    page = client.get(path).text
    assert "by a timestamp authority on" in page
    assert f'href="/ledger/shop/timestamps/{notice}.tsr"' in page


def test_the_command(stamping_app: Flask, sealed: Seal, authority: TimestampAuthority) -> None:
    sealed()
    runner = stamping_app.test_cli_runner()
    done = runner.invoke(args=["ledger", "timestamp", "shop"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["checkpoint", "notice", "widget"]
    assert "checkpoint of 1 leaves" in done.stdout
    checked = runner.invoke(args=["ledger", "check", "shop"])
    assert checked.exit_code == 0, checked.output
    assert "3 timestamps hold" in checked.stdout
    sealed()
    # Asked for by hand: the hour is not waited for.
    assert runner.invoke(args=["ledger", "timestamp"]).stdout.startswith("checkpoint of 2 leaves")
    authority.answer = lambda _: b"no"
    sealed()
    failed = runner.invoke(args=["ledger", "timestamp"])
    assert failed.exit_code == 1
    assert f"No timestamp from {authority.url}: this is not an RFC 3161 answer" in failed.stderr


def test_the_commands_without_an_authority(app: Flask, notice: str, stamp: Stamp) -> None:
    stamp()
    runner = app.test_cli_runner()
    refused = runner.invoke(args=["ledger", "timestamp"])
    assert refused.exit_code == 1
    assert "set CONSENT_TIMESTAMP_URL" in refused.stderr
    checked = runner.invoke(args=["ledger", "check", "shop"])
    assert "2 timestamps: not checked, CONSENT_TIMESTAMP_ROOTS_FILE is not set" in checked.stdout


def test_the_check_names_timestamps_that_do_not_hold(
    services: Context, sealed: Seal, stamp: Stamp, tmp_path: Path
) -> None:
    sealed()
    stamp()
    other = Maker(tmp_path / "other", name="Another authority").roots.read_bytes()
    app = create_app(replace(services.settings, timestamp_roots=other), services.now)
    checked = app.test_cli_runner().invoke(args=["ledger", "check", "shop"])
    app.extensions["consent"].database.engine.dispose()
    assert checked.exit_code == 1
    assert checked.stdout.count("FAIL timestamp ") == 3


def test_the_server_does_so_by_itself(stamping_app: Flask, services: Context) -> None:
    tasks = {task.name: task for task in worker.tasks(stamping_app.extensions["consent"])}
    assert tasks["timestamps"].seconds == 60
    assert tasks["timestamps"].alone
    tasks["timestamps"].run(stamping_app.extensions["consent"])
    assert len(stamping_app.test_client().get("/ledger/shop/timestamps").get_json()["items"]) == 2
    assert "timestamps" not in {task.name for task in worker.tasks(services)}


@pytest.mark.on_both_databases
def test_a_pack_holds_them_and_openssl_agrees(
    stamping_app: Flask, sealed: Seal, stamp: Stamp, maker: Maker, kept: Path
) -> None:
    sealed()
    stamp()
    pack = kept / "pack.zip"
    runner = stamping_app.test_cli_runner()
    done = runner.invoke(args=["evidence", "export", "shop", "-o", str(pack)])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(kept)
    command = [sys.executable, "-I", "-S", "verify.py", "--json"]
    checked = subprocess.run(command, cwd=kept, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout
    said = json.loads(checked.stdout)
    (detail,) = [check["detail"] for check in said["checks"] if check["name"] == "timestamps"]
    assert "the latest over " in detail
    for line in said["unchecked"]:
        words = line.replace("AUTHORITY.pem", str(maker.roots)).split()
        assert "Verification: OK" in openssl(kept, *words[1:])
    kinds = [json.loads(line)["kind"] for line in (kept / "timestamps.jsonl").read_text().splitlines()]
    assert kinds[:2] == ["checkpoint", "notice"]


def test_upgrade_is_possible_with_an_authority_set(tmp_path: Path, authority: TimestampAuthority, roots: bytes) -> None:
    settings = settings_for(tmp_path, f"sqlite:///{tmp_path / 'new.sqlite3'}")
    app = create_app(replace(settings, timestamp_url=authority.url, timestamp_roots=roots))
    with app.app_context():
        upgrade()
    app.extensions["consent"].database.engine.dispose()
    assert authority.asked == []
