"""`consent backup`: one file, whole, of one moment, while others write."""

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from consent_server.backup import store_copy
from consent_server.backup.back_up import back_up
from consent_server.backup.rules_manifest import read_manifest
from consent_server.core.errors import StorageUnavailable
from tests.backup.conftest import Run
from tests.support.ledger_shop import Shop


def test_a_backup_is_one_private_file_that_says_what_it_holds(shop: Shop, consent: Run, file: Path) -> None:
    done = consent("backup", file)
    assert done.exit_code == 0, done.output
    assert "shop: 4 leaves sealed" in done.output
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    manifest = read_manifest(store_copy.manifest_of(file) or "")
    (held,) = [held for held in manifest.ledgers if held.site == "shop"]
    assert (held.size, held.checkpoint) == (4, shop.checkpoints()[-1])
    ring = shop.services.keys.ring
    assert manifest.key_ids == [ring.kid]
    assert manifest.keys is None
    data = file.read_bytes()
    private = shop.services.settings.signing_keys_file.read_text()
    assert '"d"' in private
    assert shop.services.settings.secret_key.encode() not in data
    assert private.split('"d": "')[1][:43].encode() not in data
    assert f"Not in it: the signing keys ({ring.kid}) and the secret key" in done.output


def test_keys_are_in_it_where_they_are_asked_for(shop: Shop, consent: Run, file: Path) -> None:
    keys = shop.services.settings.signing_keys_file
    text = keys.read_text()
    keys.write_text(text, "utf-8-sig")  # as an editor saves it that puts a mark before
    done = consent("backup", file, "--with-keys")
    assert "It holds the signing keys and the secret key" in done.output
    manifest = read_manifest(store_copy.manifest_of(file) or "")
    assert manifest.keys == {
        "signing-keys.json": text,
        "secret-key": shop.services.settings.secret_key,
    }


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_pipe_is_no_backup(consent: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    done = consent(command, "-")
    assert done.exit_code == 2
    assert "A backup is a file" in done.output
    assert set(tmp_path.iterdir()) == before


def test_a_file_that_is_there_is_never_written_over(consent: Run, file: Path) -> None:
    file.write_text("dear")
    done = consent("backup", file)
    assert done.exit_code == 1
    assert "is there already" in done.output
    assert file.read_text() == "dear"
    pipe, link = file.with_name("pipe"), file.with_name("link")
    os.mkfifo(pipe)
    link.symlink_to(file.parent / "nowhere")
    for name in (pipe, link, Path("/dev/null")):
        assert consent("backup", name).exit_code == 1
    assert sorted(path.name for path in file.parent.iterdir()) == ["consent.backup", "link", "pipe"]


def test_what_somebody_puts_there_meanwhile_stays(shop: Shop, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    our = shop.services
    monkeypatch.setattr(store_copy, "write_manifest", lambda *_: file.write_text("dear"))
    with pytest.raises(FileExistsError):
        back_up(our.settings, our.keys, our.now(), file, False)
    assert file.read_text() == "dear"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_copy_that_fails_leaves_nothing(shop: Shop, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    our = shop.services

    def fail(_: int) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StorageUnavailable, match="disk is full"):
        back_up(our.settings, our.keys, our.now(), file, False, fail)
    assert list(file.parent.iterdir()) == []


def test_a_backup_is_of_one_moment_while_others_write(shop: Shop, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    our, asked = shop.services, threading.Event()
    monkeypatch.setattr(store_copy, "PAGES", 1)
    steps = []

    def write(percent: int) -> None:
        steps.append(percent)
        if len(steps) in (3, 40, 80):
            # As visitors do, whom it must not keep waiting; and the server, which seals.
            shop.decide()
            shop.seal()
            asked.set()

    manifest = back_up(our.settings, our.keys, our.now(), file, False, write)
    assert asked.is_set()
    assert len(shop.checkpoints()) == 4
    assert next(held.size for held in manifest.ledgers if held.site == "shop") == 4
    # It did not begin again with each of them.
    assert steps == sorted(steps)
    with sqlite3.connect(file) as copy:
        assert copy.execute("SELECT count(*) FROM decisions").fetchone() == (4,)
    copy.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("words", [("backup",), ("restore",), ("restore", "--yes")])
def test_on_postgresql_it_says_by_what(bare_app: Flask, file: Path, words: tuple[str, ...]) -> None:
    done: Result = bare_app.test_cli_runner().invoke(args=[*words, str(file)])
    assert done.exit_code == 1
    assert ("pg_dump" if words == ("backup",) else "pg_restore") in done.output
    assert not file.exists()
