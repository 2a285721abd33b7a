"""What was cosigned is checked later, carried away in packs, and asked for by itself."""

import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import text

from consent_server import worker
from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.core.notes import parse_vkey
from consent_server.ledger.check_cosignatures import check_cosignatures
from consent_server.ledger.witness import witness_ledger
from tests.support.factories import Body, Clock, settings_for
from tests.support.visitor import post
from tests.support.witness import Witness
from tests.support.witnessed_ledger import ORIGIN, Ledger, as_set, disarm

# --- Who looks at it later ---


@pytest.fixture
def runner(
    ledger: Ledger, witness: Witness, tmp_path: Path, database_url: str, clock: Clock
) -> Iterator[FlaskCliRunner]:
    """The commands of a server whose settings name the witness."""
    app = create_app(settings_for(tmp_path, database_url, witnesses=(as_set(witness),)), now=clock)
    yield app.test_cli_runner()
    app.extensions["consent"].database.engine.dispose()


def test_the_command_says_what_each_answered(runner: FlaskCliRunner, ledger: Ledger, witness: Witness) -> None:
    done = runner.invoke(args=["ledger", "witness", "shop"])
    assert (done.exit_code, done.stdout) == (0, "ok    shop 3: witness.example-w1: cosigned\n")
    ledger.rewrite(without=1)
    done = runner.invoke(args=["ledger", "witness"])
    assert done.exit_code == 1
    assert done.stdout.startswith("ALARM shop 2: witness.example-w1: the witness cosigned 3 leaves")
    assert runner.invoke(args=["ledger", "witness", "nobody"]).exit_code == 1


def test_nothing_is_sealed_over_an_alarm(runner: FlaskCliRunner, ledger: Ledger, body: Body) -> None:
    runner.invoke(args=["ledger", "witness", "shop"])
    ledger.rewrite(without=1)
    runner.invoke(args=["ledger", "witness"])
    assert post(ledger.client, body()).status_code == 201
    done = runner.invoke(args=["ledger", "seal"])
    assert (done.exit_code, "witness witness.example-w1: the witness cosigned 3 leaves" in done.output) == (1, True)
    assert "consent ledger recover shop --checkpoint KEPT" in runner.invoke(args=["doctor"]).output
    # The word of one that the settings do not name is nothing.
    ledger.seal()
    assert ledger.note().split("\n")[1] == "3"


def test_a_witness_is_told_of_a_ledger_by_its_verifier_key(app: Flask, services: Context) -> None:
    services.keys.rotate(services.now())
    done = app.test_cli_runner().invoke(args=["ledger", "key", "shop"])
    assert done.exit_code == 0, done.output
    keys = [parse_vkey(line) for line in done.stdout.splitlines()]
    assert keys == list(services.keys.ring.note_keys(ORIGIN))
    assert keys[-1].public == services.keys.ring.public_bytes()
    assert app.test_cli_runner().invoke(args=["ledger", "key", "nobody"]).exit_code == 1


def test_the_command_without_witnesses(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["ledger", "witness"])
    assert done.exit_code == 1
    assert "CONSENT_WITNESSES" in done.stderr


@pytest.mark.on_both_databases
def test_a_check_counts_cosignatures_and_finds_wrong_ones(
    runner: FlaskCliRunner, app: Flask, ledger: Ledger, witness: Witness
) -> None:
    ledger.ask(witness)
    ledger.grow(1)
    ledger.ask(witness)
    done = runner.invoke(args=["ledger", "check", "shop"])
    assert done.exit_code == 0, done.output
    assert "2 checkpoints cosigned by witness.example/w1\n" in done.stdout
    done = app.test_cli_runner().invoke(args=["ledger", "check", "shop"])
    assert (done.exit_code, "witness.example/w1: not checked" in done.stdout) == (0, True)
    with ledger.services.database.transaction() as session:
        disarm(session, ledger.services.database.embedded)
        other = "(SELECT line FROM cosignatures WHERE size = 4)"
        session.execute(text(f"UPDATE cosignatures SET line = {other} WHERE size = 3"))
    done = runner.invoke(args=["ledger", "check", "shop"])
    assert done.exit_code == 1
    assert "FAIL checkpoint 3: the cosignature of witness.example/w1: The signature" in done.stdout
    report = check_cosignatures(ledger.services.database, [as_set(witness)], ledger.clock(), "shop")
    assert report.counts == {"checkpoints cosigned by witness.example/w1": 1}


@pytest.mark.on_both_databases
def test_a_pack_carries_them(runner: FlaskCliRunner, ledger: Ledger, witness: Witness, tmp_path: Path) -> None:
    ledger.ask(witness)
    ledger.grow(1)
    pack = tmp_path / "pack.zip"
    assert runner.invoke(args=["evidence", "export", "shop", "-o", str(pack)]).exit_code == 0
    (tmp_path / "verify.py").write_bytes(zipfile.ZipFile(pack).read("verify.py"))

    def verified(*options: str) -> str:
        command = [sys.executable, "-I", "-S", str(tmp_path / "verify.py"), str(pack), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "witness.example/w1 cosigned 1 of 2, the last over 3 leaves" in verified("--witness", witness.vkey)
    assert "Not checked here: cosignatures of witness.example/w1." in verified()


# --- By itself ---


def until(condition: Callable[[], bool]) -> None:
    ready = threading.Event()
    for _ in range(1000):
        if condition():
            return
        ready.wait(0.01)
    pytest.fail("It did not come about within ten seconds.")


@pytest.fixture
def running(ledger: Ledger, witness: Witness, tmp_path: Path, database_url: str, clock: Clock) -> Iterator[None]:
    """The threads of a worker, at a fast pace."""
    pace = {"seal_seconds": 0.02, "witness_seconds": 0.02}
    app = create_app(settings_for(tmp_path, database_url, witnesses=(as_set(witness),), **pace), now=clock)
    end = threading.Event()
    threads = worker.start(app.extensions["consent"], end)
    assert {"sealer", "witnesses"} <= {thread.name for thread in threads}
    yield
    end.set()
    witness.meanwhile = lambda: None
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
    app.extensions["consent"].database.engine.dispose()


def test_a_slow_witness_does_not_delay_sealing(ledger: Ledger, witness: Witness, running: None) -> None:
    until(lambda: witness.holds(ledger.note()))
    asked, answer = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        answer.wait(20)

    witness.meanwhile = wait
    post(ledger.client, ledger.body())
    assert asked.wait(20), "the witness is asked about the new record"
    post(ledger.client, ledger.body())
    until(lambda: ledger.note().split("\n")[1] == "5")
    assert not witness.holds(ledger.note())
    answer.set()
    until(lambda: witness.holds(ledger.note()))


def test_one_worker_of_a_machine_asks(ledger: Ledger, witness: Witness, running: None, database_url: str) -> None:
    until(lambda: witness.holds(ledger.note()))
    settings = replace(ledger.services.settings, witnesses=(as_set(witness),), seal_seconds=60, witness_seconds=0.02)
    second = copy(ledger.services)
    second.settings = settings
    (task,) = (one for one in worker.tasks(second) if one.name == "witnesses")
    assert task.alone
    assert not worker._became_the_one(second, task)


def test_nobody_is_asked_where_nobody_is_set(services: Context) -> None:
    assert "witnesses" not in [task.name for task in worker.tasks(services)]
    with suppress(StopIteration):
        next(witness_ledger(services.database, (), services.now))
        pytest.fail("Nobody is there to ask.")
