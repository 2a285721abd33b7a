"""The last release at work, installed as it said, with a year of visitors; then this code on what it left.

`make upgrade` installs it. Its wheel has hardly a file in it, so it is what its documents told people to install: a
checkout.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4
from zipfile import ZipFile

import pytest
from flask_migrate import upgrade
from joserfc import jwt
from joserfc.jwk import KeySet

from consent_server.app import create_app

from .conftest import HERE, RELEASES, Server, as_before

RELEASE = HERE.parents[1] / ".venv" / f"release-{RELEASES[0]}"
PUBLIC_URL = "https://consent.example"
ORIGIN = "https://www.callbell.eu"
ACCEPT = {"action": "accept_all", "method": "banner", "language": "en", "gpc": False, "change": False}
GROUPS = ("week", "device", "language", "country", "notice")

pytestmark = pytest.mark.slow


class LastRelease:
    """Its checkout, its own packages, and one instance of it."""

    def __init__(self, instance: Path) -> None:
        self._environ = {
            "PATH": os.environ["PATH"],
            "CONSENT_INSTANCE": str(instance),
            "CONSENT_PUBLIC_URL": PUBLIC_URL,
        }
        self._python = str(RELEASE / ".venv" / "bin" / "python")

    def run(self, *command: str | Path) -> str:
        done = subprocess.run([self._python, *command], cwd=RELEASE, env=self._environ, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def flask(self, *command: str | Path) -> str:
        return self.run("-m", "flask", "--app", "wsgi", *command)

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Its gunicorn; the address."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [self._python, "-m", "gunicorn", "wsgi:app"]
        environ = self._environ | {"PORT": str(port)}
        with subprocess.Popen(
            command, cwd=RELEASE, env=environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as server:
            assert server.stderr
            assert any(b"Listening at" in line for line in server.stderr)
            yield f"http://127.0.0.1:{port}"
            server.terminate()
            server.stderr.read()


@dataclass
class Left:
    """What the last release answered, and the folder with its database and keys."""

    instance: Path
    token: str
    folder: Path
    body: dict[str, Any]
    answer: dict[str, Any]
    receipts: list[str]
    rates: dict[str, Any]

    @property
    def pack(self) -> Path:
        return self.folder / "evidence.zip"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints.jsonl"


@pytest.fixture(scope="module")
def left(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A year, and one visitor more."""
    if not pytestconfig.getoption("--slow"):
        pytest.skip("before a release: pytest --slow")
    if not RELEASE.is_dir():
        pytest.skip("`make upgrade` installs the last release")
    folder = tmp_path_factory.mktemp("last-release")
    release = LastRelease(folder / "instance")
    release.flask("db", "upgrade")
    release.run("examples/demo/fill.py")
    token = release.flask("token", "create", "--role", "operator", "--name", "kept").strip()
    with release.serve() as url:
        return asked(url, release, folder, token)


def asked(url: str, release: LastRelease, folder: Path, token: str) -> Left:
    """What its server answers."""

    def ask(path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Origin": ORIGIN}
        sent = json.dumps(body).encode() if body else None
        with urlopen(Request(url + path, sent, headers), timeout=60) as response:
            return json.load(response)

    today = datetime.now(UTC).date()
    notice = ask("/v1/sites/callbell/notice")
    grants = dict.fromkeys(notice["texts"]["en"]["purposes"], True)
    with urlopen(f"{url}/v1/sites/callbell/notice", timeout=60) as response:
        etag = response.headers["ETag"].strip('"')
    body = ACCEPT | {"decision_id": str(uuid4()), "notice": etag, "grants": grants, "page": f"{ORIGIN}/pricing"}
    answer = ask("/v1/sites/callbell/decisions", body)
    months = [(today - timedelta(days=30 * month)).isoformat() for month in range(12)]
    items = [one for day in months for one in ask(f"/v1/sites/callbell/decisions?to={day}&limit=100")["items"]]
    span = f"from={today - timedelta(days=365)}&to={today - timedelta(days=1)}"
    paths = [f"/v1/sites/callbell/rates?{span}&by={by}" for by in GROUPS]
    release.flask("ledger", "seal")
    release.flask("evidence", "export", "callbell", "--from", months[1], "-o", folder / "evidence.zip")
    for name, file in (("checkpoint", "checkpoint"), ("checkpoints", "checkpoints.jsonl")):
        with urlopen(f"{url}/ledger/callbell/{name}", timeout=60) as response:
            (folder / file).write_bytes(response.read())
    return Left(
        folder / "instance", token, folder, body, answer, [one["receipt_id"] for one in items],
        {path: ask(path) for path in paths},
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(left: Left, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """This code on a copy, migrated."""
    instance = tmp_path_factory.mktemp("upgraded") / "instance"
    shutil.copytree(left.instance, instance)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CONSENT_INSTANCE", str(instance))
        environment.setenv("CONSENT_PUBLIC_URL", PUBLIC_URL)
        app = create_app()
    with app.app_context():
        upgrade()
    yield Server(app, PUBLIC_URL, {"operator": left.token})
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def test_old_receipts_verify(server: Server, left: Left) -> None:
    assert len(left.receipts) == 1200
    for receipt_id in left.receipts:
        receipt = server.get(f"/v1/receipts/{receipt_id}?format=jws", token="operator").text
        answer = server.post("/v1/receipts/verify", json={"receipt": receipt}).get_json()
        assert answer["valid"] is True, answer


def test_the_rates_of_the_year_are_the_same_figures(server: Server, left: Left) -> None:
    for path, figures in left.rates.items():
        assert figures["totals"]["decisions"] > 1000
        assert as_before(server.get(path, token="operator").get_json()) == figures


def test_what_the_last_visitor_was_given_still_holds(server: Server, left: Left) -> None:
    assert server.get(left.answer["receipt_url"], Accept="application/jose").text == left.answer["receipt"]
    published = KeySet.import_key_set(server.get("/.well-known/jwks.json").get_json())
    state = jwt.decode(left.answer["state"], published, algorithms=["EdDSA"])
    assert (
        state.claims["grants"] == jwt.decode(left.answer["receipt"], published, algorithms=["EdDSA"]).claims["grants"]
    )
    again = server.post("/v1/sites/callbell/decisions", json=left.body, headers={"Origin": ORIGIN})
    assert (again.status_code, again.get_json()["receipt"]) == (200, left.answer["receipt"])


def test_packs_and_programs_of_both_agree(server: Server, left: Left, tmp_path: Path) -> None:
    code, printed = server.run("evidence", "export", "callbell", "-o", tmp_path / "new.zip")
    assert code == 0, printed
    for program in (left.pack, tmp_path / "new.zip"):
        with ZipFile(program) as pack:
            script = pack.extract("verify.py", tmp_path / program.stem)
        for checked in (left.pack, tmp_path / "new.zip"):
            command = [sys.executable, "-I", script, str(checked), "--checkpoint", str(left.folder / "checkpoint")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


def test_the_ledger_holds_and_goes_on_and_a_visitor_can_be_erased(server: Server, left: Left) -> None:
    def check() -> None:
        code, printed = server.run("ledger", "check", "callbell", "--checkpoint", left.checkpoints)
        assert code == 0, printed

    check()
    code, printed = server.run("visitor", "erase", left.answer["visitor"])
    assert code == 0, printed
    assert server.get(left.answer["receipt_url"]).status_code == 410
    server.run("ledger", "seal")
    check()
