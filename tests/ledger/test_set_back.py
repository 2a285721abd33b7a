"""A server whose database was set back knows it by what it signed, and never signs a second history."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server import worker
from consent_server.core.errors import InvalidProof
from consent_server.ledger.seal import remember
from consent_server.worker import Alarm
from tests.support.cast import token
from tests.support.factories import Clock
from tests.support.ledger_shop import Shop
from tests.support.postgresql import PostgreSQL
from tests.support.scrape import scrape
from tests.support.sealed import continues, holds_all
from tests.support.set_back import OlderCopy

SIGNED = "signed-checkpoints.jsonl"


@pytest.fixture
def copy(shop: Shop, tmp_path: Path, dialect: str, request: pytest.FixtureRequest) -> Callable[[], OlderCopy]:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if dialect == "postgresql" else None
    return lambda: OlderCopy(shop.services, tmp_path, server)


@pytest.mark.on_both_databases
def test_an_older_copy_is_recorded_in_and_not_sealed(shop: Shop, copy: Callable[[], OlderCopy]) -> None:
    older = copy()
    for _ in range(3):
        shop.decide()
    shop.seal()
    given_out = shop.checkpoints()
    older.put_back()
    kept = shop.decide()
    with pytest.raises(InvalidProof, match=r"has 4 leaves here, and 7 were signed.*consent ledger recover shop"):
        shop.seal()
    assert shop.checkpoints() == given_out[:1]
    # Not even once it is as long again.
    for _ in range(5):
        shop.decide()
    with pytest.raises(InvalidProof, match="behind"):
        shop.seal()
    assert shop.checkpoints() == given_out[:1]
    assert kept.receipt


def test_another_server_that_went_on_from_an_older_copy_is_seen(
    shop: Shop, copy: Callable[[], OlderCopy], tmp_path: Path
) -> None:
    older = copy()
    shop.decide()
    shop.seal()
    mine = (tmp_path / SIGNED).read_bytes()
    older.put_back()
    # That one has a folder of its own, and knows nothing.
    (tmp_path / SIGNED).unlink()
    for _ in range(2):
        shop.decide()
    shop.seal()
    (tmp_path / SIGNED).write_bytes(mine)
    shop.decide()
    with pytest.raises(InvalidProof, match="does not continue the checkpoint of 5 leaves"):
        shop.seal()


def test_what_another_server_sealed_is_remembered_too(
    shop: Shop, copy: Callable[[], OlderCopy], tmp_path: Path
) -> None:
    older = copy()
    before = (tmp_path / SIGNED).read_bytes()
    shop.decide()
    shop.seal()
    # As on a second server on the same database, which sealed nothing of this itself and now looks.
    (tmp_path / SIGNED).write_bytes(before)
    remember(shop.services.database, shop.services.keys.ring)
    older.put_back()
    shop.decide()
    with pytest.raises(InvalidProof, match="has 4 leaves here, and 5 were signed"):
        shop.seal()


def test_the_newer_database_brought_back_goes_on(shop: Shop, copy: Callable[[], OlderCopy], tmp_path: Path) -> None:
    older = copy()
    shop.decide()
    shop.seal()
    newer = tmp_path / "newer"
    newer.mkdir()
    kept = OlderCopy(shop.services, newer)
    seen = shop.checkpoints()
    older.put_back()
    shop.decide()
    with pytest.raises(InvalidProof):
        shop.seal()
    kept.put_back()
    shop.decide()
    shop.seal()
    holds_all(shop, *seen)
    continues(shop, *seen)


def test_a_server_that_remembers_nothing_yet_begins_with_what_is_there(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / SIGNED).unlink()
    shop.decide()
    shop.seal()
    holds_all(shop)
    assert (tmp_path / SIGNED).read_text().count("\n") == 2


def test_an_alarm_is_said_again_only_after_a_while() -> None:
    now = [0.0]
    alarm = Alarm(lambda: now[0])
    assert alarm.is_due("The database is behind: 4 leaves")
    assert not alarm.is_due("The database is behind: 5 leaves")
    assert alarm.is_due("The clock was set")
    now[0] = 599
    assert not alarm.is_due("The clock was set")
    now[0] = 601
    assert alarm.is_due("The clock was set")


def test_figures_and_doctor_say_what_is_stopped(
    shop: Shop, copy: Callable[[], OlderCopy], bare_app: Flask, app: Flask, client: FlaskClient, clock: Clock
) -> None:
    operator = token(app, "operator")
    assert ("consent_sealing_stopped", "shop") not in scrape(client, operator)
    assert scrape(client, operator)["consent_clock_step_seconds",] == 0
    older = copy()
    shop.decide()
    shop.seal()
    older.put_back()
    operator = token(app, "operator")
    assert scrape(client, operator)["consent_sealing_stopped", "shop"] == 1
    assert ("consent_sealing_stopped", "rival") not in scrape(client, operator)
    said = bare_app.test_cli_runner().invoke(args=["doctor"])
    assert said.exit_code == 1
    assert (
        "wrong  shop: Its records are kept and not sealed. The database is behind: 4 leaves are sealed" in said.output
    )
    assert "consent ledger recover shop" in said.output
    done = bare_app.test_cli_runner().invoke(args=["ledger", "recover", "shop"])
    assert (done.exit_code, "5 leaves were signed, 4 are here, 1 are lost" in done.output) == (1, True)
    done = bare_app.test_cli_runner().invoke(args=["ledger", "recover", "shop", "--yes"])
    assert done.exit_code == 0, done.output
    assert ("consent_sealing_stopped", "shop") not in scrape(client, operator)
    done = bare_app.test_cli_runner().invoke(args=["ledger", "recover", "shop", "--yes"])
    assert "nothing is lost" in done.output
    # And by a clock that is behind.
    clock.advance(hours=-2)
    assert scrape(client, operator)["consent_sealing_stopped", "shop"] == 1
    said = bare_app.test_cli_runner().invoke(args=["ledger", "correct-clock", "shop", "--dry-run"])
    assert "leaves 0 to 4: would be named as dated by a wrong clock" in said.output


class Turns:
    """The event that ends a loop, after so many turns."""

    def __init__(self, left: int) -> None:
        self.left = left

    def wait(self, _: float) -> bool:
        self.left -= 1
        return self.left < 0


def test_the_log_says_once_what_is_stopped(
    shop: Shop, copy: Callable[[], OlderCopy], caplog: pytest.LogCaptureFixture
) -> None:
    older = copy()
    shop.decide()
    shop.seal()
    older.put_back()
    shop.decide()
    sealer = next(task for task in worker.tasks(shop.services) if task.name == "sealer")
    worker._loop(shop.services, sealer, cast("threading.Event", Turns(3)))
    (said,) = [record for record in caplog.records if "ALARM" in record.message]
    assert said.levelname == "ERROR"
    assert said.message.startswith("ALARM: sealer: The database is behind: consent.example/ledger/shop has 4 leaves")
    assert said.exc_info is None
