"""Refused posts are counted by site, reason and origin, within bounds, and each says how it is mended."""

import threading
from collections import Counter
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from consent_server.core.context import Context
from consent_server.decisions import store_refused
from consent_server.decisions.count_refused import HELD, RefusedPosts
from consent_server.decisions.read_refused import refused_ever, refused_lately
from consent_server.decisions.rows import RefusedRow
from consent_server.decisions.rules_refused import KEPT, OTHERS, Refused, mend, named_origin, rarest
from consent_server.http.problems import PROBLEMS
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.find import find_site
from tests.support.cast import token
from tests.support.factories import SHOP, Body, Clock
from tests.support.people import CAST, Person
from tests.support.scrape import scrape
from tests.support.visitor import post

LOCAL = "http://localhost:8310"


def lately(services: Context, days: int = 1) -> list[Refused]:
    services[RefusedPosts].write()
    return refused_lately(services.database, find_site(services.database, "shop"), services.now(), days)


@pytest.mark.on_both_databases
def test_who_was_refused_why_and_how_often(client: FlaskClient, body: Body, services: Context) -> None:
    for _ in range(3):
        assert post(client, body(), origin=LOCAL).status_code == 403
    post(client, {"notice": body.notice}, path="shown", origin="null")
    post(client, body(), origin=None)
    post(client, body(notice="0" * 64))
    post(client, b"{", path="conversions")
    post(client, body(), content_type="text/html")
    post(client, b" " * 8193)
    sent = body()
    assert [post(client, sent | more).status_code for more in ({}, {"change": True})] == [201, 409]
    assert lately(services) == [
        ("foreign-origin", LOCAL, 3), ("body-too-large", SHOP, 1), ("decision-conflict", SHOP, 1),
        ("foreign-origin", "none", 1), ("foreign-origin", "null", 1), ("invalid-decision", SHOP, 1),
        ("malformed-body", SHOP, 1), ("unsupported-content-type", SHOP, 1),
    ]  # fmt: skip


@pytest.mark.on_both_databases
def test_a_site_s_day_keeps_the_most_frequent_and_sums_up_the_rest(services: Context, app: Flask, clock: Clock) -> None:
    posts, shop = services[RefusedPosts], services[CurrentSites].get("shop")
    for number in range(60):
        for _ in range(number + 1):
            posts.count(shop, "foreign-origin", f"https://a{number:02d}.example")
        posts.write()
    told = lately(services)
    assert len(told) == KEPT + 1
    assert [origin for _, origin, _ in told[1:]] == [f"https://a{n:02d}.example" for n in range(59, 39, -1)]
    assert told[0] == ("foreign-origin", OTHERS, sum(range(1, 41)))
    assert refused_ever(services.database) == [("shop", "foreign-origin", sum(range(1, 61)))]
    clock.advance(days=1)
    posts.count(shop, "malformed-body", SHOP)
    assert lately(services) == [("malformed-body", SHOP, 1)]
    assert len(lately(services, days=2)) == KEPT + 2
    clock.advance(days=31)
    posts.count(shop, "malformed-body", SHOP)
    posts.write()
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(RefusedRow)) == 4
    assert refused_ever(services.database) == [
        ("shop", "foreign-origin", 1830), ("shop", "malformed-body", 2),
    ]  # fmt: skip


@pytest.mark.on_both_databases
def test_many_who_write_at_once_lose_none(services: Context, app: Flask) -> None:
    shop = services[CurrentSites].get("shop")
    writers = [RefusedPosts(services.database, services.now) for _ in range(4)]

    def write(posts: RefusedPosts, number: int) -> None:
        for turn in range(10):
            for origin in range(30):
                posts.count(shop, ("foreign-origin", "malformed-body")[number % 2], f"https://{origin}-{turn}.example")
            posts.write()

    threads = [threading.Thread(target=write, args=(posts, number)) for number, posts in enumerate(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(posts for _, _, posts in lately(services)) == 1200
    assert refused_ever(services.database) == [("shop", "foreign-origin", 600), ("shop", "malformed-body", 600)]


def test_a_flood_costs_no_transaction_and_no_memory(client: FlaskClient, body: Body, services: Context) -> None:
    begun: list[Any] = []
    event.listen(services.database.engine, "begin", begun.append)
    for number in range(300):
        post(client, b"{", origin=f"https://{number}.example")
    assert len(begun) < 50
    held = services[RefusedPosts]._held
    assert [len(counts) for counts in held.values()] == [HELD + 1]


def test_what_could_not_be_written_is_kept(services: Context, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    posts, shop = services[RefusedPosts], services[CurrentSites].get("shop")
    posts.count(shop, "malformed-body", SHOP)
    with monkeypatch.context() as broken:
        broken.setattr(store_refused, "add", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            posts.write()
    posts.count(shop, "malformed-body", SHOP)
    assert lately(services) == [("malformed-body", SHOP, 2)]


def test_operators_see_it_and_what_to_do(app: Flask, client: FlaskClient, body: Body) -> None:
    olga, max_ = Person(app, "olga"), Person(app, "max")
    for person, name in ((olga, "olga"), (max_, "max")):
        person.accept(person.invited(*CAST[name]))
    assert "posts refused" not in olga.open("/console").text
    for _ in range(3):
        post(client, body(), origin=LOCAL)
    post(client, body(), origin="https://<script>alert(1)</script>")
    page = olga.open("/console").text
    assert f"Today 3 posts refused from {LOCAL}: if its pages are yours, add it to <code>origins</code>" in page
    assert "<script>alert" not in page
    assert LOCAL not in max_.open("/console").text


def test_a_monitoring_system_reads_the_sums(app: Flask, client: FlaskClient, body: Body) -> None:
    operator = token(app, "operator")
    # Of all that this process met.
    before = scrape(client, operator)["consent_refused_posts_unknown_site_total",]
    post(client, body(), origin=LOCAL)
    post(client, body(), origin="https://other.example")
    post(client, body(), site="nowhere")
    found = scrape(client, operator)
    assert found["consent_refused_posts_total", "shop", "foreign-origin"] == 2
    assert found["consent_refused_posts_unknown_site_total",] == before + 1
    assert LOCAL not in client.get("/metrics", headers=operator).text


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (None, "none"), ("", "invalid"), ("null", "null"), (SHOP, SHOP), (LOCAL, LOCAL),
        ("http://[::1]:80", "http://[::1]:80"),
        ("capacitor://localhost", "capacitor://localhost"), ("https://shop.example/", "invalid"),
        ("x" * 200, "invalid"),
        (f"https://{'a' * 100}.example", "invalid"), ("https://shop.example\n", "invalid"), ("https://a b", "invalid"),
        ("https://<script>", "invalid"), ("https://u:p@shop.example", "invalid"),
    ],
)  # fmt: skip
def test_only_an_origin_is_kept_of_the_header(header: str | None, named: str) -> None:
    assert named_origin(header) == named


@given(st.dictionaries(st.tuples(st.sampled_from("ab"), st.text(max_size=3)), st.integers(1, 9), max_size=60))
def test_folding_loses_no_post(counts: dict[tuple[str, str], int]) -> None:
    gone, sums = rarest(counts)
    assert len(counts) - len(gone) <= KEPT + 2
    assert sums == Counter({reason: sum(counts[key] for key in gone if key[0] == reason) for reason, _ in gone})
    assert all(counts[key] <= min(counts[other] for other in counts.keys() - set(gone) if other[1] != OTHERS)
               for key in gone)  # fmt: skip


@pytest.mark.parametrize("origin", ["none", "null", "invalid", OTHERS, SHOP])
def test_each_reason_says_how_it_is_mended(origin: str) -> None:
    for _, reason, _ in PROBLEMS.values():
        said = mend(Refused(reason, origin, 1))
        assert said.startswith(f"1 post refused from {origin}: ")
        assert said.endswith(f"({reason}).")


def test_the_day_is_the_site_s(services: Context, app: Flask, clock: Clock) -> None:
    services[RefusedPosts].count(services[CurrentSites].get("shop"), "malformed-body", None)
    services[RefusedPosts].write()
    with services.database.reading() as session:
        assert session.scalar(select(RefusedRow.day).where(RefusedRow.day != "")) == str(date(2026, 11, 23))
