"""Backup and restore beside the product as it is shipped: gunicorn with its committed configuration."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from flask import Flask

from consent_server.app import create_app
from consent_server.core.context import Context, context_of
from consent_server.ledger.check import check_ledger
from tests.support.factories import PUBLIC_URL, Body
from tests.support.served import GunicornConf, Server


def invoke(app: Flask, *words: object) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=[str(word) for word in words])
    context_of(app).database.close()
    return done.exit_code, done.output


@pytest.mark.slow
def test_a_backup_of_a_server_that_runs_and_its_restore(services: Context, tmp_path: Path, body: Body) -> None:
    environ = {
        "CONSENT_INSTANCE": str(tmp_path),
        "CONSENT_PUBLIC_URL": PUBLIC_URL,
        "CONSENT_SECRET_KEY": services.settings.secret_key,
        "PORT": "0",
        "PATH": os.environ["PATH"],
    }
    services.database.close()
    app, file = create_app(services.settings), tmp_path / "consent.backup"
    server = Server(environ, tmp_path)
    try:
        assert [server.post(body())[0] for _ in range(3)] == [201] * 3
        assert invoke(app, "backup", file)[0] == 0
        sent = body()
        status, answer = server.post(sent)
        assert status == 201
        code, said = invoke(app, "restore", file, "--yes")
        assert (code, "nothing was changed" in said) == (1, True)
        path = urlsplit(json.loads(answer)["receipt_url"]).path
        assert server.ask("GET", path, Accept="application/jose")[0] == 200
    finally:
        server.stop()
    # A clean end leaves no log that could be taken for that of another file.
    log = tmp_path / "consent.sqlite3-wal"
    assert not log.exists() or log.stat().st_size == 0
    code, said = invoke(app, "restore", file, "--yes")
    assert code == 0, said
    server = Server(environ, tmp_path)
    try:
        # The browser sends again what it still has: it is a new record now.
        assert server.post(sent)[0] == 201
    finally:
        server.stop()
    assert invoke(app, "ledger", "seal")[0] == 0
    made = context_of(app)
    assert check_ledger(made.database, made.keys.ring, "shop").faults == []
    made.database.close()


def test_a_log_that_workers_left_is_gone_with_the_server(
    bare_app: Flask, tmp_path: Path, gunicorn_conf: GunicornConf
) -> None:
    context_of(bare_app).database.close()
    # A worker that was killed, or whose own tasks wrote until it ended, closes nothing.
    with closing(sqlite3.connect(tmp_path / "consent.sqlite3")) as worker:
        worker.execute("PRAGMA user_version = 7")
        worker.commit()
        log = tmp_path / "consent.sqlite3-wal"
        assert log.stat().st_size
        gunicorn_conf()["on_exit"](SimpleNamespace(app=SimpleNamespace(wsgi=lambda: bare_app)))
        assert log.stat().st_size == 0
