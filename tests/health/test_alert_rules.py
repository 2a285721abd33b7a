"""The example alerts for Prometheus: each fires on what a server says in that state, and none on a healthy one."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import utime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from consent_server import worker
from consent_server.core.channels import Channel
from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable
from consent_server.core.measures import TASK_FAILURES
from consent_server.core.resources import ROOT
from consent_server.health import read
from consent_server.ledger.seal import Sealer
from tests.support.alerts import History
from tests.support.cast import token
from tests.support.factories import Body, Clock
from tests.support.promtool import SECOND, Scrape, require_firing
from tests.support.visitor import post

RULES = ROOT / "examples" / "prometheus" / "alerts.yml"
ALERTS = {rule["alert"] for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]}


@dataclass
class World:
    """A healthy server, and what may happen to it."""

    app: Flask
    client: FlaskClient
    services: Context
    body: Body
    clock: Clock
    history: History
    monkeypatch: pytest.MonkeyPatch

    def scrape(self, headers: dict[str, str]) -> Scrape:
        """As Prometheus does."""
        answer = self.client.get("/metrics", headers=headers)
        return Scrape(answer.text if answer.status_code == 200 else None)

    def keys_are_of(self, time: float) -> None:
        """The file of signing keys was last changed then."""
        utime(self.services.settings.signing_keys_file, (time, time))

    def seal(self) -> None:
        """As its worker does every second."""
        Sealer(self.services.database).run(self.services.keys.ring, self.services.now)

    # --- What is so from the beginning ---

    def erasure_is_late(self) -> None:
        link = post(self.client, self.body()).get_json()["receipt_url"].removeprefix("https://consent.example")
        assert self.client.post(f"{link}/erasure").status_code == 202
        self.seal()
        self.clock.advance(days=26)

    def nobody_took_an_alert(self) -> None:
        self.history.hour("2026-11-23T01", shown=500)
        assert self.history.watch(Channel.WEBHOOK)
        with self.services.database.transaction() as session:
            session.execute(text("UPDATE deliveries SET next_try_at = NULL"))
        self.clock.advance(days=2)

    def keys_are_old(self) -> None:
        self.keys_are_of(self.clock().timestamp() - 500 * 86400)

    # --- What happens between the two readings ---

    def database_is_gone(self) -> None:
        with self.services.database.transaction() as session:
            session.execute(text("ALTER TABLE checkpoints RENAME TO elsewhere"))

    def database_fails(self) -> None:
        for _ in range(5):
            with pytest.raises(StorageUnavailable), self.services.database.transaction() as session:
                session.execute(text("SELECT * FROM nowhere"))

    def posts_are_refused(self) -> None:
        for _ in range(7):
            assert post(self.client, self.body(), origin="https://elsewhere.example").status_code == 403

    def site_is_unknown(self) -> None:
        for _ in range(7):
            assert post(self.client, self.body(), site="nowhere").status_code == 404

    def database_is_held(self) -> None:
        def wait() -> None:
            with self.services.database.transaction():
                pass

        # Who asks for the site first writes down what it shows; the visitor is not to wait for that here.
        assert self.client.get("/widget/shop.js").status_code == 200
        with ThreadPoolExecutor(2) as pool:
            with self.services.database.transaction():
                other, visitor = pool.submit(wait), pool.submit(post, self.app.test_client(), self.body())
                deadline = time.monotonic() + 5
                while (waiting := sum(thread.name == "turn" for thread in threading.enumerate())) < 2:
                    assert time.monotonic() < deadline, f"{waiting} wait for their turn."
                    time.sleep(0.01)
                # For so long; a visitor's post is not given up yet.
                held = time.monotonic() + 0.8
                while time.monotonic() < held:
                    time.sleep(0.01)
            other.result()
            assert visitor.result().status_code == 201
        self.seal()

    def nothing_is_sealed(self) -> None:
        post(self.client, self.body())

    def task_fails(self) -> None:
        end, runs = threading.Event(), []

        def fail(_: Context) -> None:
            runs.append(1)
            if len(runs) == 5:
                end.set()
            raise StorageUnavailable("away")

        worker._loop(self.services, worker.Task("sealer", 0, fail), end)

    def clock_is_wrong(self) -> None:
        self.clock.advance(minutes=-5)

    def disk_is_nearly_full(self) -> None:
        self.monkeypatch.setattr(
            read, "shutil", SimpleNamespace(disk_usage=lambda _: SimpleNamespace(total=100, free=5))
        )

    def banner_is_not_answered(self) -> None:
        self.history.hour("2026-11-23T01", shown=500)
        assert self.history.watch()

    def nothing(self) -> None:
        pass


@pytest.fixture
def world(
    app: Flask, client: FlaskClient, services: Context, body: Body, clock: Clock, history: History,
    monkeypatch: pytest.MonkeyPatch,
) -> World:  # fmt: skip
    made = World(app, client, services, body, clock, history, monkeypatch)
    made.keys_are_of(clock().timestamp())
    return made


BEFORE: list[tuple[Callable[[World], None], set[str]]] = [
    (World.erasure_is_late, {"ConsentErasureLate"}),
    (World.nobody_took_an_alert, {"ConsentAlertsUntold"}),
    (World.keys_are_old, {"ConsentKeysOld"}),
]
MEANWHILE: list[tuple[Callable[[World], None], set[str]]] = [
    (World.nothing, set()),
    (World.database_is_gone, {"ConsentServerSilent"}),
    (World.database_fails, {"ConsentDatabaseFails"}),
    (World.posts_are_refused, {"ConsentPostsRefused"}),
    (World.site_is_unknown, {"ConsentPostsOfUnknownSites"}),
    (World.database_is_held, {"ConsentPostsWait", "ConsentDatabaseHeld"}),
    (World.nothing_is_sealed, {"ConsentNotSealed"}),
    (World.task_fails, {"ConsentTaskFails"}),
    (World.clock_is_wrong, {"ConsentClockWrong"}),
    (World.disk_is_nearly_full, {"ConsentDiskNearlyFull"}),
    (World.banner_is_not_answered, {"ConsentRatesUnusual"}),
]
CASES: list[Any] = [pytest.param(happens, World.nothing, fires, id=happens.__name__) for happens, fires in BEFORE]
CASES += [pytest.param(World.nothing, happens, fires, id=happens.__name__) for happens, fires in MEANWHILE]


def test_every_alert_has_its_state() -> None:
    assert set().union(*(fires for _, fires in [*BEFORE, *MEANWHILE])) == ALERTS


def test_every_figure_of_an_alert_is_there(world: World) -> None:
    world.posts_are_refused()
    TASK_FAILURES.labels("sealer")
    text_read = world.scrape(token(world.app, "operator")).text
    assert text_read
    expressions = re.findall(r"(?m)^        expr: (?:.*|>(?:\n {10}.*)+)$", RULES.read_text("utf-8"))
    names = set(re.findall(r"consent_\w+", "".join(expressions)))
    assert len(names) >= 12
    for name in names:
        assert f"\n{name}{{" in text_read or f"\n{name} " in text_read, name


@pytest.mark.slow
@pytest.mark.usefixtures("before_a_release")
@pytest.mark.parametrize(("before", "meanwhile", "fires"), CASES)
def test_an_alert_fires_in_its_state_and_in_no_other(
    world: World, before: Callable[[World], None], meanwhile: Callable[[World], None], fires: set[str], tmp_path: Path
) -> None:
    headers = token(world.app, "operator")
    before(world)
    began = world.clock().timestamp()
    first = world.scrape(headers)
    meanwhile(world)
    world.clock.advance(minutes=SECOND)
    second = world.scrape(headers)
    require_firing(RULES, tmp_path, began, first, second, fires)
