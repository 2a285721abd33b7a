"""The same days mean the same in rates, look-ups and packs: those of the site's own clock."""

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import context_of
from consent_server.core.times import local_day, midnight
from tests.support.cast import token
from tests.support.factories import TOP, Body, Clock, site_file
from tests.support.rates_page import end_days
from tests.support.sites import Apply
from tests.support.visitor import post

DAY, NEXT = "2026-11-23", "2026-11-24"


@pytest.fixture
def two_days(app: Flask, client: FlaskClient, clock: Clock, apply_site: Apply) -> list[str]:
    """Receipts of half past ten in the evening and of half past midnight there, on one day of UTC."""
    notice = apply_site(site_file(f'{TOP}time_zone = "Asia/Kolkata"\n'))
    assert clock.at.date().isoformat() == local_day(clock.at, "Asia/Kolkata").isoformat() == DAY
    given = [post(client, Body(notice)()).get_json()["receipt_id"]]
    clock.at += timedelta(hours=2)
    return [*given, post(client, Body(notice)()).get_json()["receipt_id"]]


def span_of(pack: bytes) -> list[str]:
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(pack)).read("manifest.json"))
    return [manifest["from"], manifest["to"]]


def test_a_day_is_the_same_day_wherever_it_is_asked_for(
    app: Flask, client: FlaskClient, two_days: list[str], tmp_path: Path
) -> None:
    end_days(context_of(app))
    headers = token(app, "operator")

    def ask(path: str, **query: str) -> Any:
        response = client.get(f"/v1/sites/shop/{path}", query_string=query, headers=headers)
        assert response.status_code == 200, response.text
        return response

    for day, receipt in zip((DAY, NEXT), two_days, strict=True):
        span = {"from": day, "to": day}
        assert ask("rates", **span).get_json()["totals"]["decisions"] == 1
        assert [item["receipt_id"] for item in ask("decisions", **span).get_json()["items"]] == [receipt]
        begins = date.fromisoformat(day) - timedelta(days=1)
        bounds = [f"{begins}T18:30:00.000Z", f"{day}T18:30:00.000Z"]
        assert span_of(ask("evidence", **span).data) == bounds
        pack = tmp_path / f"{day}.zip"
        done = app.test_cli_runner().invoke(
            args=["evidence", "export", "shop", "--from", day, "--to", day, "-o", str(pack)]
        )
        assert done.exit_code == 0, done.stderr
        assert span_of(pack.read_bytes()) == bounds
    assert len(ask("decisions", **{"from": DAY, "to": NEXT}).get_json()["items"]) == 2


@pytest.mark.parametrize(
    ("day", "time_zone", "begins"),
    [
        ("2026-03-29", "Europe/Paris", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("2026-03-30", "Europe/Paris", datetime(2026, 3, 29, 22, tzinfo=UTC)),  # after a day of 23 hours
        ("2026-10-26", "Europe/Paris", datetime(2026, 10, 25, 23, tzinfo=UTC)),  # after one of 25
        ("2018-11-04", "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),  # its first hour is left out
        ("2018-02-18", "America/Sao_Paulo", datetime(2018, 2, 18, 3, tzinfo=UTC)),  # the hour before it comes twice
        ("0001-01-01", "Asia/Kolkata", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31", "America/Sao_Paulo", datetime(9999, 12, 31, 3, tzinfo=UTC)),
    ],
)
def test_when_a_day_begins(day: str, time_zone: str, begins: datetime) -> None:
    assert midnight(date.fromisoformat(day), time_zone) == begins
    if begins.year > 1:
        assert local_day(begins, time_zone) == date.fromisoformat(day)
        assert local_day(begins - timedelta(seconds=1), time_zone) < date.fromisoformat(day)
