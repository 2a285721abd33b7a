"""Many visitors with known choices, by several processes at once: every counter and every split is exact."""

import json
import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from consent_server.core.context import Context
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.rows import TallyRow
from consent_server.rates.close_days import close_days
from consent_server.rates.tell_today import tell_today
from tests.support.cast import token
from tests.support.counted_crowd import CLIENTS, COUNTRY_HEADER, PURPOSES, VENDORS, Visitor, play, visitors
from tests.support.factories import ADS, ANALYTICS, META, PUBLIC_URL, SHOP, site_file
from tests.support.figures import Figure
from tests.support.rates_page import quiet
from tests.support.served import Server
from tests.support.sites import Apply

pytestmark = [pytest.mark.on_both_databases, pytest.mark.slow]

# What must be counted


@dataclass
class Expected:
    """Sums, as the definitions have them, made without any of the code that is tested."""

    totals: Counter[str] = field(default_factory=Counter)
    granted: Counter[str] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)

    def add(self, visitor: Visitor) -> None:
        posts = 1 + (visitor.choice is not None)
        if visitor.kind != "person":
            self.totals["robots" if visitor.kind == "robot" else "prefetches"] += posts
            return
        self.totals["shown"] += 1
        for key in (*PURPOSES, *VENDORS[visitor.notice]):
            self.granted[key] += 0
            self.denied[key] += 0
        if visitor.choice:
            action, purposes = visitor.choice
            self.totals.update(["decisions", action, *(["granted"] if purposes else [])])
            self.totals["with gpc"] += visitor.gpc
            for key, purpose in {**dict(zip(PURPOSES, PURPOSES, strict=True)), **VENDORS[visitor.notice]}.items():
                (self.granted if purpose in purposes else self.denied)[key] += 1
        else:
            self.totals["no_choice"] += 1
        if visitor.later:
            self.totals["withdrawals" if visitor.later == "withdraw" else "changes"] += 1


def expected(key: Callable[[Visitor], str], count: int) -> dict[str, Expected]:
    found: dict[str, Expected] = {}
    for visitor in visitors(count):
        found.setdefault(key(visitor), Expected()).add(visitor)
    return found


def assert_exact(said: dict[str, Any], wanted: Expected) -> None:
    totals = {name: wanted.totals[name] for name in said["totals"]}
    assert said["totals"] == totals
    assert said["gpc"]["first_choices"] == wanted.totals["with gpc"]
    parts = {**said["purposes"], **said["vendors"]}
    assert {key: (part["granted"], part["denied"]) for key, part in parts.items()} == {
        key: (wanted.granted[key], wanted.denied[key]) for key in wanted.granted
    }
    assert said["rates"]["consent"]["value"] == wanted.totals["accept_all"] / wanted.totals["decisions"]


# The test


@pytest.fixture
def server(services: Context, tmp_path: Path, dialect: str) -> Iterator[Server]:
    """gunicorn as shipped: two workers, which fold by themselves."""
    settings = services.settings
    environ = {
        "CONSENT_INSTANCE": str(tmp_path), "CONSENT_PUBLIC_URL": PUBLIC_URL, "PORT": "0", "PATH": os.environ["PATH"],
        "CONSENT_SECRET_KEY": settings.secret_key, "CONSENT_COUNTRY_HEADER": COUNTRY_HEADER,
        "CONSENT_RATE_LIMIT": "1000000 per minute",
    }  # fmt: skip
    if dialect == "postgresql":
        environ["CONSENT_DATABASE_URL"] = settings.database_url
        environ["CONSENT_SIGNING_KEYS_FILE"] = str(settings.signing_keys_file)
    started = Server(environ, tmp_path)
    yield started
    if started.running:
        started.kill()


def test_every_counter_and_every_split_is_exact(
    bare_app: Flask, services: Context, apply_site: Apply, server: Server, figure: Figure
) -> None:
    count = figure(1_000, release=20_000)
    notices = [apply_site(site_file(vendors=vendors)) for vendors in (f"{ANALYTICS}{ADS}", f"{ANALYTICS}{ADS}{META}")]
    marketer = token(bare_app, "marketer", "shop")

    def rates(by: str) -> dict[str, Any]:
        # The server counts by the real clock.
        fold_tallies(services.database)
        close_days(services.database, quiet, datetime.now(UTC) + timedelta(days=2))
        status, body = server.ask("GET", f"/v1/sites/shop/rates?by={by}", **marketer)
        assert status == 200, body
        found: dict[str, Any] = json.loads(body)
        return found

    began = time.time()
    with multiprocessing.get_context("spawn").Pool(CLIENTS) as pool:
        playing = pool.starmap_async(play, [(server.port, SHOP, notices, count, part) for part in range(CLIENTS)])
        # Folded and told by others meanwhile: what is seen only ever grows.
        shown, pause = [0], threading.Event()
        while not playing.ready():
            fold_tallies(services.database)
            tell_today(services.database)
            status, body = server.ask("GET", "/v1/sites/shop/rates?by=day", **marketer)
            assert status == 200, body
            shown.append(json.loads(body)["totals"]["shown"])
            pause.wait(0.2)
        statuses = sum(playing.get(), Counter[int]())
    assert shown == sorted(shown)
    assert len(set(shown)) > 3

    everyone = list(visitors(count))
    decisions = sum((who.choice is not None) + (who.later is not None) for who in everyone)
    assert statuses.keys() == {201, 200, 204}
    assert (statuses[204], statuses[201]) == (count, decisions)
    assert statuses[200] > count / 5, "Repeats were answered as what they are."

    (whole,) = expected(lambda _: "all", count).values()
    splits: dict[str, Callable[[Visitor], str]] = {
        "language": lambda who: who.language,
        "device": lambda who: who.device,
        "country": lambda who: who.country,
        "notice": lambda who: notices[who.notice],
    }
    for by, key in splits.items():
        said, wanted = rates(by), expected(key, count)
        assert_exact(said, whole)
        assert [row["key"] for row in said["rows"]] == sorted(wanted)
        for row in said["rows"]:
            assert_exact(row, wanted[row["key"]])
    # Whichever hours and days it took: each event is in one of them.
    for by, form in (("day", "%Y-%m-%d"), ("hour", "%Y-%m-%dT%H")):
        said = rates(by)
        assert_exact(said, whole)
        ends = [time.strftime(form, time.gmtime(at)) for at in (began, time.time())]
        assert {row["key"] for row in said["rows"]} <= set(ends)
        for name in ("shown", "decisions", "accept_all") if by == "hour" else ("shown", "withdrawals", "robots"):
            assert sum(row["totals"][name] for row in said["rows"]) == whole.totals[name]

    server.stop()
    fold_tallies(services.database)
    with services.database.reading() as session:
        assert session.query(TallyRow).count() == 0
