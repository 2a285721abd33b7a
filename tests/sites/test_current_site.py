"""What a site shows is in memory: a change of any site is seen at once, and no visitor waits for the database."""

import re
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, text

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable, UnknownSite
from consent_server.core.resources import ROOT
from consent_server.rates.promote_arm import promote_arm
from consent_server.sites import store_changes as changes
from consent_server.sites.current_site import FIRST_LOOK, CurrentSites
from consent_server.sites.retire import retire_site
from tests.support.experiment_files import BOX, TITLE, with_experiment
from tests.support.factories import ANALYTICS, META, RIVAL_FILE, SHOP, TOP, Body, Clock, settings_for, site_file
from tests.support.faults import Way, way_to, write_lock
from tests.support.postgresql import PostgreSQL
from tests.support.sites import Apply
from tests.support.visitor import post

# Seconds. Against hanging, not for speed: what a busy machine does beside is no fault.
NO_HANG = 5.0
SCRIPTS = ("/widget/shop.js", "/widget/shop/preferences.js", "/widget/shop/details.js")
# Who writes what a site is or shows: each of these marks the change, as the walk below shows, and for the last one
# tests/ledger/test_recover.py.
WRITERS = r"\b(?:sites\.save|notices\.publish|experiments\.start|experiments\.end|ledgers\.create)\(|ledger\.origin = "
ACTS = {"sites/publish.py", "sites/retire.py", "sites/run_experiment.py", "rates/promote_arm.py", "ledger/recover.py"}


def mark(services: Context) -> int:
    with services.database.reading() as session:
        return changes.mark(session)


@pytest.mark.on_both_databases
def test_every_act_that_changes_what_a_site_is_or_shows_leaves_a_mark(
    services: Context, apply_site: Apply, clock: Clock
) -> None:
    def promote(arm: str) -> None:
        promote_arm(services.database, "shop", f"promoting-{arm}", arm, clock())

    two = ("https://shop.example", "https://www.shop.example")
    acts: dict[str, Callable[[], object]] = {
        "first notice": lambda: apply_site.publish(site_file()),
        "another site": lambda: apply_site.publish(RIVAL_FILE),
        "new notice": lambda: apply_site.publish(site_file(vendors=META)),
        "settings": lambda: apply_site.publish(site_file(vendors=META.replace("1234567890", "2234567890"))),
        "origins": lambda: apply_site.publish(site_file(top=TOP.replace(f'["{SHOP}"]', str([*two])))),
        "experiment": lambda: apply_site.publish(with_experiment(BOX, TITLE)),
        "another experiment": lambda: apply_site.publish(with_experiment(BOX, key="other")),
        "end of it": lambda: apply_site.publish(site_file()),
        "one to promote": lambda: apply_site.publish(with_experiment(BOX, key="promoting-box")),
        "promotion": lambda: promote("box"),
        "one to keep": lambda: apply_site.publish(with_experiment(TITLE, key="promoting-control"), undo=True),
        "promotion of what is": lambda: promote("control"),
        "retirement": lambda: retire_site(services.database, "shop", clock()),
    }
    sites = CurrentSites(services.database, services.settings.public_url, services.now)
    marks, shown = [mark(services)], []
    for name, act in acts.items():
        act()
        marks.append(mark(services))
        assert marks[-1] not in marks[:-1], name
        assert sites.look(FIRST_LOOK)
        current = sites.get("shop")
        shown.append((current.notice.hash, current.site, current.experiment and current.experiment.key))
    other_site = shown.pop(1)
    assert other_site == shown[0]
    assert all(before != after for before, after in pairwise(shown)), "Each is seen at the next look."


def test_the_walk_has_all_who_write(services: Context) -> None:
    server = ROOT / "consent_server"
    writers = {
        str(path.relative_to(server))
        for path in server.glob("*/*.py")
        if not path.name.startswith("store") and re.search(WRITERS, path.read_text("utf-8"))
    }
    assert writers == ACTS


def test_a_check_of_a_file_changes_nothing(services: Context, apply_site: Apply, notice: str) -> None:
    before = mark(services)
    apply_site.publish(site_file(vendors=META), check_only=True)
    assert mark(services) == before


def statements(engine: Engine) -> list[str]:
    heard: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *call: heard.append(call[2]))
    return heard


def test_many_sites_cost_no_more_to_look_at_than_one(services: Context, apply_site: Apply, notice: str) -> None:
    for number in range(8):
        apply_site.publish(RIVAL_FILE.replace("rival", f"rival-{number}"))
    sites = CurrentSites(services.database, services.settings.public_url, services.now)
    heard = statements(services.database.engine)
    assert sites.look(FIRST_LOOK)
    assert len([each for each in heard if each.startswith("SELECT")]) == 3, "the mark, the outlines, the notices"
    for key in ("shop", "rival", *(f"rival-{number}" for number in range(8))):
        assert sites.get(key).site.key == key
    heard.clear()
    assert sites.look(FIRST_LOOK)
    assert [each for each in heard if not each.startswith(("BEGIN", "PRAGMA"))] == [heard[-1]]
    assert "site_changes" in heard[-1]


def test_a_site_that_cannot_be_read_is_no_fault_of_the_others(services: Context, notice: str) -> None:
    with services.database.transaction() as session:
        session.execute(text("UPDATE sites SET settings = '{}' WHERE key = 'rival'"))
    sites = CurrentSites(services.database, services.settings.public_url, services.now)
    assert sites.get("shop").notice.hash == notice
    with pytest.raises(KeyError):
        sites.get("rival")


@pytest.fixture
def way(postgresql: PostgreSQL, database_url: str) -> Iterator[Way]:
    """The way to the database of this test."""
    with way_to(postgresql.folder) as way:
        yield way


@pytest.fixture
def far_app(way: Way, tmp_path: Path, notice: str) -> Iterator[Flask]:
    """The application with its database at the other end."""
    app = create_app(settings_for(tmp_path, f"postgresql+psycopg://consent@127.0.0.1:{way.port}/consent"))
    yield app
    app.extensions["consent"].database.engine.dispose()


def seconds_of(client: FlaskClient, path: str, status: int = 200) -> float:
    begun = time.monotonic()
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return time.monotonic() - begun


@pytest.mark.usefixtures("real_waits")
@pytest.mark.parametrize("dialect", ["postgresql"])
def test_what_a_visitor_sees_does_not_wait_for_a_database_that_is_silent(
    far_app: Flask, way: Way, services: Context, apply_site: Apply, notice: str, body: Body
) -> None:
    client = far_app.test_client(use_cookies=False)
    seen = (*SCRIPTS, "/v1/sites/shop/notice", f"/v1/notices/{notice}", "/healthz")
    before = {path: client.get(path).data for path in seen}
    assert client.get("/sites/shop/declaration").status_code == 200
    way.silence()
    deadline = time.monotonic() + 2.5
    longest, rounds = 0.0, 0
    while time.monotonic() < deadline:
        longest = max(longest, *(seconds_of(client, path) for path in (*seen, "/sites/shop/declaration")))
        rounds += 1
    assert longest < NO_HANG
    assert rounds > 3
    assert {path: client.get(path).data for path in seen} == before
    # Nobody knows whether there is such a site.
    assert seconds_of(client, "/widget/nowhere.js", 503) < NO_HANG
    assert post(client, body()).status_code == 503
    way.heal()
    published = apply_site(site_file(vendors=ANALYTICS))
    deadline = time.monotonic() + 8
    while client.get("/v1/sites/shop/notice").headers["ETag"].strip('"') != published:
        assert time.monotonic() < deadline
    assert seconds_of(client, "/widget/nowhere.js", 404) < NO_HANG


@pytest.mark.usefixtures("real_waits")
def test_a_worker_that_starts_while_nothing_can_be_written_serves(
    services: Context, client: FlaskClient, tmp_path: Path, body: Body
) -> None:
    with write_lock(tmp_path / "consent.sqlite3"):
        assert [client.get(path).status_code for path in SCRIPTS] == [200] * 3
        answer = post(client, body())
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_no_receipt_names_what_is_not_archived(services: Context, tmp_path: Path, notice: str) -> None:
    # Another address is another configuration, as after an upgrade that brings another one.
    sites = CurrentSites(services.database, "https://elsewhere.example", services.now)

    def archived() -> int:
        with services.database.reading() as session:
            return session.scalar(text("SELECT count(*) FROM configurations")) or 0

    assert sites.look(FIRST_LOOK)
    before = archived()
    with write_lock(tmp_path / "consent.sqlite3"):
        begun = time.monotonic()
        current = sites.get("shop")
        assert time.monotonic() - begun < NO_HANG, "It is served meanwhile."
        with pytest.raises(StorageUnavailable, match="not archived"):
            sites.require_archived(current)
    deadline = time.monotonic() + 10
    while not current.archived.is_set():
        sites.get("shop")
        assert time.monotonic() < deadline
    sites.require_archived(current)
    assert archived() == before + len(current.configurations)


def test_a_key_that_is_no_site(services: Context, notice: str) -> None:
    for key in ("nowhere", "Shop", "", "shop/../rival"):
        with pytest.raises(UnknownSite, match="There is no site"):
            services[CurrentSites].get(key)
        assert services[CurrentSites].kept(key) is None
