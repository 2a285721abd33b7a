"""GET /metrics: who may ask, and that the figures are those of the database."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from consent_server import __version__
from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable
from consent_server.core.resources import ROOT
from consent_server.health import store as figures
from consent_server.health import web_metrics
from consent_server.ledger.seal import seal_ledger
from consent_server.receipts import store as erasure_requests
from tests.support.cast import token
from tests.support.factories import Body, Clock
from tests.support.people import Person
from tests.support.scrape import scrape
from tests.support.visitor import post


@pytest.mark.on_both_databases
def test_the_figures_are_those_of_the_database(
    app: Flask, client: FlaskClient, recorded: list[dict[str, Any]], services: Context, body: Body, clock: Clock
) -> None:
    operator = token(app, "operator")
    found = scrape(client, operator)
    assert (found["consent_ledger_leaves_total", "shop"], found["consent_ledger_leaves_total", "rival"]) == (4, 1)
    assert found["consent_sealing_lag_seconds", "shop"] == 0
    assert found["consent_checkpoint_timestamp_seconds", "shop"] == clock().timestamp()
    # The others were made an hour apart.
    recent = {key[1:]: value for key, value in found.items() if key[0] == "consent_recent_decisions" and value}
    assert recent == {("shop", "withdraw"): 1, ("rival", "accept_all"): 1}
    assert found["consent_database_size_bytes",] > 10_000
    assert found["consent_build_info", __version__] == 1

    post(client, body())
    clock.advance(seconds=90)
    post(client, body())
    found = scrape(client, operator)
    assert found["consent_ledger_leaves_total", "shop"] == 4
    assert found["consent_sealing_lag_seconds", "shop"] == 90
    assert found["consent_sealing_lag_seconds", "rival"] == 0
    assert found["consent_recent_decisions", "shop", "accept_all"] == 2

    seal_ledger(services.database, services.keys.ring, services.now)
    clock.advance(minutes=6)
    found = scrape(client, operator)
    assert found["consent_ledger_leaves_total", "shop"] == 6
    assert found["consent_sealing_lag_seconds", "shop"] == 0
    assert found["consent_recent_decisions", "shop", "accept_all"] == 0


@pytest.mark.usefixtures("recorded")
def test_many_sites_are_figures_of_all_of_them(
    app: Flask, client: FlaskClient, recorded: list[dict[str, Any]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = token(app, "operator")
    link = recorded[0]["receipt_url"].removeprefix("https://consent.example")
    assert client.post(f"{link}/erasure").status_code == 202
    apart = scrape(client, operator)
    monkeypatch.setattr(web_metrics, "APART", 1)
    together = scrape(client, operator)
    assert {key[1] for key in together if key[0] in {name for name, *rest in apart if rest[:1] == ["shop"]}} == {"*"}
    assert together["consent_sites",] == 2
    assert together["consent_ledger_leaves_total", "*"] == 5
    assert together["consent_checkpoint_timestamp_seconds", "*"] == clock().timestamp()
    assert together["consent_recent_decisions", "*", "withdraw"] == 1
    assert together["consent_erasure_requests_open", "*"] == 1
    assert len(together) < len(apart)


@pytest.mark.usefixtures("recorded")
def test_what_a_process_measures_is_a_figure(app: Flask, client: FlaskClient, services: Context, body: Body) -> None:
    operator = token(app, "operator")
    before = scrape(client, operator)
    post(client, body())
    with pytest.raises(StorageUnavailable), services.database.transaction() as session:
        session.execute(text("SELECT * FROM nowhere"))
    after = scrape(client, operator)
    grown = {name: after[name,] - before[name,] for name, *rest in after if not rest and "timestamp" not in name}
    assert grown["consent_commit_wait_seconds_count"] == 1
    assert grown["consent_database_wait_seconds_count"] >= 2
    assert grown["consent_database_failures_total"] == 1
    assert after["consent_clock_timestamp_seconds",] == services.now().timestamp()
    assert 0 < after["consent_disk_free_bytes",] <= after["consent_disk_size_bytes",]
    file = services.settings.signing_keys_file
    assert after["consent_signing_keys_timestamp_seconds",] == pytest.approx(file.stat().st_mtime)


def test_the_page_for_operators_says_what_each_figure_tells(app: Flask, client: FlaskClient) -> None:
    names = {name for name, *_ in scrape(client, token(app, "operator"))} - {"consent_build_info"}
    named = {re.sub("_(bucket|count|sum)$", "", name) for name in names}
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    rows = re.findall(r"^\| ((?:`consent_\w+`(?:, )?)+) \|", page, re.M)
    assert named <= {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert "consent_erasure_requests_open" in names


@pytest.mark.parametrize(
    ("role", "sites", "status"),
    [("operator", (), 200), ("operator", ("shop",), 403), ("auditor", (), 403), ("marketer", (), 403)],
)
def test_only_operators_of_all_sites_read_them(
    app: Flask, client: FlaskClient, role: str, sites: tuple[str, ...], status: int
) -> None:
    assert client.get("/metrics", headers=token(app, role, *sites)).status_code == status


def test_nobody_unknown_reads_them(client: FlaskClient, olga: Person) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}):
        refused = client.get("/metrics", headers=headers)
        assert (refused.status_code, refused.get_json()["type"]) == (401, "/problems/unauthenticated")
    assert olga.browser.get("/metrics").status_code == 200


def test_a_database_that_does_not_answer_is_no_figure(app: Flask, client: FlaskClient, services: Context) -> None:
    operator = token(app, "operator")
    client.get("/metrics", headers=operator)
    with services.database.transaction() as session:
        session.execute(text("ALTER TABLE checkpoints RENAME TO elsewhere"))
    assert client.get("/metrics", headers=operator).status_code == 503


def test_no_figure_reads_every_record(services: Context, notice: str, clock: Clock) -> None:
    large = ("decisions", "leaves", "checkpoints", "removals", "tiles")
    for query in (figures.ledgers_query(), figures.decisions_query(clock()), erasure_requests.open_query()):
        compiled = query.compile(services.database.engine, compile_kwargs={"literal_binds": True})
        with services.database.reading() as session:
            plan = [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
        assert any("decisions" in step for step in plan)
        assert not [step for step in plan for table in large if step.startswith(f"SCAN {table}")], plan


@pytest.mark.on_both_databases
def test_open_requests_for_erasure_are_a_figure(
    app: Flask, client: FlaskClient, recorded: list[dict[str, Any]], clock: Clock
) -> None:
    operator = token(app, "operator")
    for said in (recorded[0], recorded[1]):
        clock.advance(days=1)
        link = said["receipt_url"].removeprefix("https://consent.example")
        assert client.post(f"{link}/erasure").status_code == 202
    found = scrape(client, operator)
    assert (found["consent_erasure_requests_open", "shop"], found["consent_erasure_requests_open", "rival"]) == (2, 0)
    assert found["consent_erasure_request_age_seconds", "shop"] == 86400
    assert found["consent_erasure_request_age_seconds", "rival"] == 0
