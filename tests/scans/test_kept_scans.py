"""Scans that a server keeps of its own sites: who asks, what is kept, what changed, and where none may look."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.core.errors import InvalidQuery
from consent_server.scans.ask_scan import ask_due, ask_scan, last_scan, list_scans
from consent_server.scans.make_scans import Look, make_scan
from consent_server.scans.own_network import OwnNetwork, is_named, pinned
from consent_server.scans.profile import PageFailed
from consent_server.scans.read_json import read_scan, write_pictures
from consent_server.scans.read_scan import read_kept_scan
from consent_server.scans.rules import Scan, State
from consent_server.scans.rules_kept import KEPT, PICTURED
from consent_server.scans.scan import Wanted
from consent_server.scans.write_json import scan_json
from tests.support.people import Person, token_of
from tests.support.scans import META, cookie, request, scan

HERE = "http://127.0.0.1:1/"


def seeing(done: Scan) -> Look:
    return lambda wanted: replace(done, starts=wanted.urls)


def make(services: Context, look: Look) -> str | None:
    """As on a server that is for this machine alone."""
    settings = services.settings
    services.settings = replace(settings, public_url="http://127.0.0.1:8000")
    try:
        return make_scan(services, look)
    finally:
        services.settings = settings


def test_a_kept_scan_is_read_back_as_it_was() -> None:
    picture = {State.BEFORE: b"\xff\xd8"}
    done = replace(scan(before=[request(), cookie()], withdrawn=[cookie()]), pictures=picture)
    assert read_scan(json.loads(json.dumps(scan_json(done))), write_pictures(picture)) == done


@pytest.mark.on_both_databases
def test_one_is_made_and_tells_what_changed(services: Context, notice: str) -> None:
    database, now = services.database, services.now
    assert make(services, seeing(scan())) is None
    first = ask_scan(database, "shop", HERE, "olga", now())
    assert ask_scan(database, "shop", HERE, "olga", now()) is None
    assert first
    assert make(services, seeing(scan(before=[request()]))) == "shop"
    (kept,) = list_scans(database, "shop")
    assert (kept.number, kept.who, kept.wrong, kept.tone, kept.said) == (first, "olga", 1, "bad", "1 wrong")
    second = ask_scan(database, "shop", HERE, None, now())
    assert second
    make(services, seeing(scan(granted=[cookie("_fbc")])))
    read = read_kept_scan(database, "shop", second)
    assert read.earlier
    assert read.changed
    assert (read.earlier.number, read.changed.new) == (first, ("Cookie _fbc of shop.test",))
    assert read.changed.gone[1:] == ("Requests to www.facebook.com",)
    assert read.changed.gone[0].startswith(META.name)


def test_only_the_newest_are_kept(services: Context, notice: str) -> None:
    done = replace(scan(), pictures={State.BEFORE: b"\xff\xd8"})
    numbers = []
    for _ in range(KEPT + 3):
        numbers.append(ask_scan(services.database, "shop", HERE, None, services.now()))
        make(services, seeing(done))
    kept = [one.number for one in list_scans(services.database, "shop")]
    assert kept == sorted(filter(None, numbers), reverse=True)[:KEPT]
    with_pictures = [read_kept_scan(services.database, "shop", number) for number in kept]
    assert [bool(one.scan and one.scan.pictures) for one in with_pictures] == [True] * PICTURED + [False] * (
        KEPT - PICTURED
    )


def test_what_is_in_the_network_of_the_server_is_not_looked_at(services: Context, notice: str) -> None:
    ask_scan(services.database, "shop", HERE, "olga", services.now())
    make_scan(services, seeing(scan()))
    last = last_scan(services.database, "shop")
    assert last
    assert "own network" in (last.failure or "")


def test_why_nothing_was_seen_is_kept(services: Context, notice: str) -> None:
    def fail(wanted: Wanted) -> Scan:
        raise PageFailed("The page cannot be opened.")

    ask_scan(services.database, "shop", HERE, "olga", services.now())
    make(services, fail)
    last = last_scan(services.database, "shop")
    assert last
    assert (last.failure, last.said, last.tone) == ("The page cannot be opened.", "Could not look", "warn")


@pytest.mark.parametrize(
    "url", ["https://elsewhere.example/", "file:///etc/passwd", "https://shop.example@evil.example/", ""]
)
def test_a_start_elsewhere_is_refused(services: Context, notice: str, url: str) -> None:
    with pytest.raises(InvalidQuery, match="origins"):
        ask_scan(services.database, "shop", url, "olga", services.now())


def test_it_is_due_again_where_it_began_last(services: Context, notice: str) -> None:
    week = timedelta(days=7)
    ask_scan(services.database, "shop", "https://shop.example/a", "olga", services.now())
    make(services, seeing(scan()))
    assert "shop" not in ask_due(services.database, services.now(), week)
    later = services.now() + week + timedelta(minutes=1)
    assert "shop" in ask_due(services.database, later, week)
    assert "shop" not in ask_due(services.database, later, week)
    assert list_scans(services.database, "shop")[0].url == "https://shop.example/a"


def test_no_scan_looks_into_the_network_of_the_server() -> None:
    for url in (
        "http://127.0.0.1/",
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "http://[::1]/",
        "http://localhost/",
    ):
        with pytest.raises(OwnNetwork, match="own network"):
            pinned([], url, local=False)
        assert is_named(url)
    with pytest.raises(OwnNetwork, match="own network"):
        pinned([], "http://10.0.0.1/", local=True)
    assert pinned(["http://127.0.0.1:8001"], "http://127.0.0.1:8001/x", local=True) == (
        "--host-resolver-rules=MAP 127.0.0.1 127.0.0.1",
    )
    assert pinned(["http://10.0.0.1"], "http://8.8.8.8/", local=False) == (
        "--host-resolver-rules=MAP 8.8.8.8 8.8.8.8, MAP 10.0.0.1 ~NOTFOUND",
    )


def test_a_scan_of_the_server_is_held_to_its_site(services: Context, notice: str) -> None:
    asked: list[Wanted] = []

    def look(wanted: Wanted) -> Scan:
        asked.append(wanted)
        return scan()

    ask_scan(services.database, "shop", HERE, "olga", services.now())
    make(services, look)
    (wanted,) = asked
    assert wanted.may_open
    assert [wanted.may_open(url) for url in (HERE, "https://shop.example/x", "https://elsewhere.example/")] == [
        True, True, False,
    ]  # fmt: skip
    assert wanted.notice
    assert wanted.notice.hash == notice


def test_an_operator_asks_and_reads(app: Flask, services: Context, people: dict[str, Person]) -> None:
    olga, there = people["olga"], "/console/sites/shop/scans"
    page = olga.open(there)
    form = token_of(page.text)
    wrong = olga.send(there, {"form_token": form, "url": "https://elsewhere.example/"})
    assert (wrong.status_code, "aria-invalid" in wrong.text) == (422, True)
    assert olga.send(there, {"form_token": form, "url": HERE}).status_code == 303
    make(services, seeing(scan(before=[request(), cookie("<b>")])))
    (kept,) = list_scans(services.database, "shop")
    shown = olga.open(f"{there}/{kept.number}").text
    assert "Meta pixel" in shown
    assert "<b>" not in shown
    assert 'href="/console/sites/shop/settings"' in shown
    told = olga.open(f"{there}/{kept.number}?format=json").get_json()
    assert told["verdicts"]["before"] == "wrong"
    assert olga.open(f"{there}/{kept.number + 1}").status_code == 404
    assert olga.open(f"{there}/x").status_code == 404
    assert "last scan found 1 thing" in olga.open("/console/sites/shop").text


def test_the_schema_is_served(client: FlaskClient) -> None:
    answer = client.get("/formats/scan.schema.json")
    assert (answer.status_code, answer.get_json()["properties"]["version"]) == (200, {"const": 1})
