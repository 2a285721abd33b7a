"""What an auditor takes away holds without this server, and shows when the database was altered."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from consent_server.audit.export import export_evidence
from consent_server.core.context import Context
from consent_server.ledger import store_cosignatures as cosignatures
from consent_server.ledger.seal import seal_ledger
from consent_server.sites.current_site import CurrentSites
from tests.support.contents import record, write_receipt
from tests.support.factories import Body, Clock
from tests.support.visitor import post

Export = Callable[..., Path]


@pytest.fixture
def export(app: Flask, tmp_path: Path) -> Export:
    """Write a pack with the command."""

    def run(*options: str) -> Path:
        pack = tmp_path / "pack.zip"
        done = app.test_cli_runner().invoke(args=["evidence", "export", "shop", "-o", str(pack), *options])
        assert done.exit_code == 0, done.output
        return pack

    return run


def verify(pack: Path, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the script out of the pack, with bare Python, in an empty folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(exist_ok=True)
    (folder / "verify.py").write_bytes(zipfile.ZipFile(pack).read("verify.py"))
    command = [sys.executable, "-I", "-S", "verify.py", str(pack), *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def said(client: FlaskClient, body: Body, clock: Clock) -> list[dict[str, str]]:
    """Five visitors, a minute between them."""
    answers = []
    for _ in range(5):
        answers.append(post(client, body()).get_json())
        clock.at += timedelta(minutes=1)
    return answers


def test_a_pack_goes_to_standard_output_and_words_beside_it(app: Flask, said: list[dict[str, str]]) -> None:
    done = app.test_cli_runner().invoke(args=["evidence", "export", "shop", "-o", "-"])
    assert done.exit_code == 0, done.stderr
    assert zipfile.ZipFile(io.BytesIO(done.stdout_bytes)).testzip() is None
    assert done.stderr == f"- written, {len(done.stdout_bytes)} bytes\n"


@pytest.mark.on_both_databases
def test_a_pack_of_the_real_database_holds(said: list[dict[str, str]], export: Export, tmp_path: Path) -> None:
    pack = export()
    done = verify(pack, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    records = zipfile.ZipFile(pack).read("records.jsonl").decode().splitlines()
    assert [json.loads(line)["receipt"] for line in records] == [answer["receipt"] for answer in said]


@pytest.mark.on_both_databases
def test_after_an_erasure_the_pack_holds_and_names_it(
    app: Flask, said: list[dict[str, str]], export: Export, tmp_path: Path
) -> None:
    before = export()
    kept = tmp_path / "kept.txt"
    kept.write_text(json.loads(zipfile.ZipFile(before).read("checkpoints.jsonl").decode().splitlines()[-1])["note"])
    done = app.test_cli_runner().invoke(args=["visitor", "erase", said[2]["visitor"]])
    assert done.output == "1 removed\n"
    pack = export()
    checked = verify(pack, tmp_path, "--checkpoint", str(kept))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    content = zipfile.ZipFile(pack).read("records.jsonl").decode()
    assert said[2]["receipt"] not in content
    gone = [json.loads(line) for line in content.splitlines() if json.loads(line)["receipt"] is None]
    assert [(entry["leaf_index"], entry["removed_by"]) for entry in gone] == [(2, 5)]


def test_a_record_that_was_altered_in_the_database_is_named(
    said: list[dict[str, str]], export: Export, services: Context, tmp_path: Path
) -> None:
    export()
    with services.database.transaction() as session:
        drop = "DROP TRIGGER decisions_keep_update" + ("" if services.database.embedded else " ON decisions")
        session.execute(text(drop))
        first, *_, fourth = session.execute(text("SELECT id FROM decisions ORDER BY id LIMIT 4")).scalars()
        write_receipt(session, fourth, record(session, first).receipt)
    try:
        done = verify(export(), tmp_path)
    finally:
        with services.database.transaction() as session:
            create = "CREATE TRIGGER decisions_keep_update BEFORE UPDATE ON decisions"
            if services.database.embedded:
                session.execute(text(f"{create} BEGIN SELECT RAISE(ABORT, 'decisions are kept as they are'); END"))
            else:
                session.execute(text(f"{create} FOR EACH ROW EXECUTE FUNCTION decisions_keep_update()"))
    assert done.returncode == 1
    assert "leaf 3" in done.stdout


def test_nobody_without_a_role_takes_a_pack_away(app: Flask, client: FlaskClient, said: list[dict[str, str]]) -> None:
    assert client.get("/v1/sites/shop/evidence").status_code == 401
    runner = app.test_cli_runner()
    tokens = {
        role: runner.invoke(args=["token", "create", "--role", role, "--name", role]).output.strip()
        for role in ("auditor", "marketer")
    }
    refused = client.get("/v1/sites/shop/evidence", headers={"Authorization": f"Bearer {tokens['marketer']}"})
    assert refused.status_code == 403
    given = client.get("/v1/sites/shop/evidence", headers={"Authorization": f"Bearer {tokens['auditor']}"})
    assert given.mimetype == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(given.data)).testzip() is None


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("from=x", "#/from"), ("to=2026-02-30", "#/to"), ("from=2026-11-02&to=2026-11-01", "#/to"), ("until=x", "#/until"),
     ("from=2026-11-01&from=2026-11-02", "#/from")],
)  # fmt: skip
def test_a_span_is_read_as_strictly_as_other_queries(app: Flask, client: FlaskClient, query: str, pointer: str) -> None:
    wrong = client.get(f"/v1/sites/shop/evidence?{query}", headers=auditor(app))
    assert (wrong.status_code, wrong.get_json()["type"]) == (400, "/problems/invalid-query")
    assert [fault["pointer"] for fault in wrong.get_json()["errors"]] == [pointer]


def test_what_fails_before_the_first_byte_is_a_problem_and_no_broken_zip(
    app: Flask, client: FlaskClient, said: list[dict[str, str]], services: Context
) -> None:
    headers = auditor(app)
    with services.database.transaction() as session:
        session.execute(text("ALTER TABLE checkpoints RENAME TO elsewhere"))
    away = client.get("/v1/sites/shop/evidence", headers=headers)
    assert (away.status_code, away.get_json()["type"]) == (503, "/problems/storage-unavailable")
    assert "Content-Disposition" not in away.headers


def auditor(app: Flask) -> dict[str, str]:
    """The header of an auditor's program."""
    made = app.test_cli_runner().invoke(args=["token", "create", "--role", "auditor", "--name", "a program"])
    return {"Authorization": f"Bearer {made.output.strip()}"}


def test_an_old_period_does_not_read_all_checkpoints_since(
    said: list[dict[str, str]], services: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosignatures, "PAGE", 2)
    first = clock()
    seal_ledger(services.database, services.keys.ring, clock)
    read: list[str] = []
    event.listen(services.database.engine, "before_cursor_execute", lambda *given: read.append(given[2]), named=False)

    def export(site: Context = services) -> tuple[int, list[int]]:
        read.clear()
        pack = b"".join(
            export_evidence(site.database, site.keys.ring, "https://consent.example", clock, "shop", None, first)
        )
        lines = zipfile.ZipFile(io.BytesIO(pack)).read("checkpoints.jsonl").decode().splitlines()
        return sum("cosignatures" in one for one in read), [json.loads(line)["size"] for line in lines]

    assert export() == (2, [5])
    with services.database.transaction() as session:
        note = session.execute(text("SELECT note FROM checkpoints WHERE size = 5")).scalar_one()
        for size in range(6, 40):
            at = int(clock().timestamp() * 1000) + size
            values = {"note": note, "size": size, "at": at, "site": services[CurrentSites].get("shop").site_id}
            session.execute(text("INSERT INTO checkpoints VALUES (:site, :size, :note, :at)"), values)
    assert export() == (2, [5, 39])
