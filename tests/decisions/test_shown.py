"""Banners shown are counted; nothing tells one visitor from another (contract 4.1)."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.core.database import PLACES
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.sites import store as sites
from tests.support.factories import Body, Clock
from tests.support.visitor import post, rows

SHOWN = CounterName(Measure.SHOWN)

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
PHONE = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"
TABLET = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"


def show(client: FlaskClient, notice: str, language: str = "en", headers: Mapping[str, str] | None = None) -> int:
    response = post(client, {"notice": notice, "language": language}, path="shown", headers=headers)
    assert response.data == b"" or response.status_code != 204
    return response.status_code


def counted(services: Context) -> dict[tuple[str, str, str], int]:
    """Views by day and language, and by day and device; the same before and after they are folded."""
    read = _read(services)
    fold_tallies(services.database)
    assert _read(services) == read
    return read


def _read(services: Context) -> dict[tuple[str, str, str], int]:
    with services.database.snapshot() as session:
        site = sites.get(session, "shop").id
        return {
            (count.period, dimension, count.value): count.events[SHOWN]
            for dimension in ("language", "device")
            for count in tallies.read(session, site, dimension, "2026-01-01", "2027-01-01")
            if SHOWN in count.events
        }


@pytest.mark.on_both_databases
def test_views_add_up_by_day_language_and_device(
    client: FlaskClient, notice: str, services: Context, clock: Clock
) -> None:
    for agent in (LAPTOP, LAPTOP, IPHONE, PHONE, IPAD, TABLET, ""):
        assert show(client, notice, headers={"User-Agent": agent}) == 204
    assert show(client, notice, "fr", {"User-Agent": LAPTOP, "Sec-CH-UA-Mobile": "?1"}) == 204
    clock.advance(hours=7)
    assert show(client, notice, headers={"User-Agent": LAPTOP}) == 204
    assert counted(services) == {
        ("2026-11-23", "language", "en"): 7,
        ("2026-11-23", "language", "fr"): 1,
        ("2026-11-23", "device", "desktop"): 3,
        ("2026-11-23", "device", "mobile"): 3,
        ("2026-11-23", "device", "tablet"): 2,
        ("2026-11-24", "language", "en"): 1,
        ("2026-11-24", "device", "desktop"): 1,
    }
    assert rows(services) == []


@pytest.mark.on_both_databases
def test_counts_are_exact_when_many_come_at_once(app: Flask, notice: str, services: Context) -> None:
    def visit(number: int) -> int:
        return show(app.test_client(use_cookies=False), notice, ("en", "fr")[number % 2])

    # As many as may be in the database at once: who finds no place is told to come again.
    with ThreadPoolExecutor(PLACES) as pool:
        assert set(pool.map(visit, range(200))) == {204}
    assert counted(services) == {
        ("2026-11-23", "language", "en"): 100,
        ("2026-11-23", "language", "fr"): 100,
        ("2026-11-23", "device", "desktop"): 200,
    }


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"notice": "0" * 64}, 422),
        ({"notice": "x"}, 400),
        ({"notice": None}, 400),
        ({"visitor": "x"}, 400),
    ],
)
def test_what_was_never_shown_is_not_counted(
    client: FlaskClient, notice: str, services: Context, changes: dict[str, Any], status: int
) -> None:
    response = post(client, {"notice": notice, "language": "en"} | changes, path="shown")
    assert response.status_code == status
    assert counted(services) == {}


@pytest.mark.parametrize("odd", ["de", None, "en\x00", 1, "x" * 5000])
def test_in_what_language_nobody_knows(client: FlaskClient, notice: str, services: Context, odd: Any) -> None:
    assert post(client, {"notice": notice, "language": odd}, path="shown").status_code == 204
    day = "2026-11-23"
    assert counted(services) == {(day, "language", "und"): 1, (day, "device", "desktop"): 1}


def test_only_the_sites_own_pages_count(client: FlaskClient, notice: str, services: Context) -> None:
    view = {"notice": notice, "language": "en"}
    assert post(client, view, path="shown", origin="https://evil.example").status_code == 403
    assert post(client, view, path="shown", site="nowhere").status_code == 404
    assert post(client, view, path="shown", content_type="text/html").status_code == 415
    assert post(client, b" " * 8193, path="shown").status_code == 413
    assert counted(services) == {}


def test_a_view_and_a_decision_do_not_meet(client: FlaskClient, body: Body, services: Context) -> None:
    assert show(client, body.notice) == 204
    assert post(client, body()).status_code == 201
    assert counted(services) == {
        ("2026-11-23", "language", "en"): 1,
        ("2026-11-23", "device", "desktop"): 1,
    }
