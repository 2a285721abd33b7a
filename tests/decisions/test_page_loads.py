"""Page loads of the sample are counted by day; nothing tells one visitor from another."""

from collections.abc import Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.rows import RollUpRow, TallyRow
from consent_server.sites import store as sites
from tests.support.visitor import post, rows

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def load(
    client: FlaskClient, notice: str, *granted: str, answered: bool = True, headers: Mapping[str, str] | None = None
) -> int:
    body = {"notice": notice, "language": "en", "answered": answered, "granted": list(granted)}
    return post(client, body, path="page-loads", headers=headers).status_code


def counted(services: Context) -> dict[str, int]:
    with services.database.snapshot() as session:
        site = sites.get(session, "shop").id
        found = tallies.read(session, site, tallies.PAGE, "2026-11-23", "2026-11-24")
        return {counter.text: events for count in found for counter, events in count.events.items()}


@pytest.mark.on_both_databases
def test_what_each_vendor_sees_adds_up_by_day_alone(client: FlaskClient, notice: str, services: Context) -> None:
    assert load(client, notice, "google-analytics", "google-ads") == 204
    assert load(client, notice, "google-analytics") == 204
    assert load(client, notice) == 204
    assert load(client, notice, answered=False) == 204
    assert load(client, notice, "google-ads", answered=False) == 204
    expected = {
        "pages": 5, "pages_unanswered": 2, "page_vendor google-analytics": 2, "page_vendor google-ads": 2,
        "page_stand_in google-ads": 1,
    }  # fmt: skip
    assert counted(services) == expected
    fold_tallies(services.database)
    assert counted(services) == expected
    assert rows(services) == []
    with services.database.reading() as session:
        assert session.query(TallyRow).count() == 0
        # Of no hour, device, country or language.
        assert {row.dimension for row in session.query(RollUpRow)} == {"page"}


def test_robots_and_prefetches_are_apart(client: FlaskClient, notice: str, services: Context) -> None:
    assert load(client, notice, "google-ads", headers={"User-Agent": BOT}) == 204
    assert load(client, notice, "google-ads", headers={"Sec-Purpose": "prefetch"}) == 204
    assert counted(services) == {}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"notice": "0" * 64}, 422), ({"granted": ["nobody"]}, 422), ({"granted": "google-ads"}, 400),
        ({"granted": None}, 400), ({"answered": "yes"}, 400), ({"answered": None}, 400), ({"visitor": "x"}, 400),
        ({"page": "https://shop.example/"}, 400), ({"granted": ["google-ads"] * 51}, 400),
    ],
)  # fmt: skip
def test_what_the_notice_does_not_ask_for_is_not_counted(
    client: FlaskClient, notice: str, services: Context, changes: dict[str, Any], status: int
) -> None:
    body = {"notice": notice, "language": "en", "answered": True, "granted": ["google-ads"]}
    assert post(client, body | changes, path="page-loads").status_code == status
    assert post(client, body, path="page-loads", origin="https://evil.example").status_code == 403
    assert counted(services) == {}
