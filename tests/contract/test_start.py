"""How programs start when the environment is not right: in words, and never with the inside of the program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from consent_server.core.keys import KeyRing, new_key_set
from consent_server.core.resources import ROOT
from tests.support.process import free_port

pytestmark = pytest.mark.slow

FLASK = ["-m", "flask", "--app", "wsgi"]
GUNICORN = ["-m", "gunicorn", "wsgi:app"]
CONSENT = ["-c", "from consent_server.app import main; main()"]
KEYS = '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'


def run(command: list[str], tmp_path: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """A program of the project with these settings and no others."""
    given = {"PATH": os.environ["PATH"], "PORT": "0", "CONSENT_INSTANCE": str(tmp_path / "instance")} | environ
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=given, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "environ",
    [{}, {"CONSENT_DATABASE_URL": "postgresql+psycopg://nowhere/none"}, {"CONSENT_SIGNING_KEYS_FILE": "/nowhere/keys"}],
    ids=["nothing", "no secrets", "no key file"],
)
@pytest.mark.parametrize("program", [FLASK, CONSENT], ids=["flask", "consent"])
def test_new_keys_need_no_settings(program: list[str], environ: dict[str, str], tmp_path: Path) -> None:
    done = run([*program, "key", "new"], tmp_path, **environ)
    assert (done.returncode, done.stderr) == (0, "")
    KeyRing.from_jwks(done.stdout).require_private()
    assert list(tmp_path.iterdir()) == [], "whoever only wants keys gets no secrets in a folder"


@pytest.mark.parametrize(
    "command", [[*FLASK, "site", "list"], [*FLASK, "key", "rotate"], [*CONSENT, "serve"], GUNICORN]
)
def test_missing_settings_are_all_named_at_once(command: list[str], tmp_path: Path) -> None:
    wrong = {"CONSENT_DATABASE_URL": "postgresql+psycopg://nowhere/none", "CONSENT_TRUSTED_PROXIES": "many"}
    done = run(command, tmp_path, **wrong)
    assert done.returncode != 0
    for name in ("CONSENT_SECRET_KEY", "CONSENT_SIGNING_KEYS", "CONSENT_TRUSTED_PROXIES"):
        assert name in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize("content", [KEYS, "{}", json.dumps({"keys": [1]}), "\x00"])
def test_a_key_file_that_cannot_sign_is_said_in_words(content: str, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(content, "utf-8")
    done = run([*FLASK, "site", "list"], tmp_path, CONSENT_SIGNING_KEYS_FILE=str(tmp_path / "keys.json"))
    assert done.returncode != 0
    assert "key" in done.stderr
    assert "Traceback" not in done.stderr


def test_migrating_a_database_that_is_away_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(new_key_set(), "utf-8")
    done = run(
        [*FLASK, "db", "upgrade"],
        tmp_path,
        CONSENT_DATABASE_URL=f"postgresql+psycopg://consent:TELLTALE@127.0.0.1:{free_port()}/consent",
        CONSENT_SECRET_KEY="0123456789abcdef0123456789abcdef",
        CONSENT_SIGNING_KEYS_FILE=str(tmp_path / "keys.json"),
    )
    assert done.returncode != 0
    assert "CONSENT_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert "TELLTALE" not in done.stderr


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    done = run([*FLASK, "site", "list"], tmp_path, CONSENT_INSTANCE=str(tmp_path / "file" / "instance"))
    assert done.returncode != 0
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr
