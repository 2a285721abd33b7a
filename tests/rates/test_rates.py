"""True rates, without following anyone (contract 4.4)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from consent_server.app import create_app
from consent_server.core.context import Context, context_of
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.rows import DecisionRow, RollUpRow, TallyRow
from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.rates.close_days import close_days
from consent_server.rates.read import RatesReader
from consent_server.rates.rules_filters import Span
from tests.support.cast import token
from tests.support.factories import ANALYTICS, TOP, Body, Clock, site_file
from tests.support.rates_page import end_days, quiet
from tests.support.sites import Apply
from tests.support.visitor import post

CRAWLER = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"}


def show(client: FlaskClient, notice: str, times: int = 1, language: str = "en", **headers: str) -> None:
    for _ in range(times):
        view = {"notice": notice, "language": language}
        assert post(client, view, path="shown", headers=headers).status_code == 204


def refuse(client: FlaskClient, notice: str, times: int = 1, language: str = "en", **headers: str) -> None:
    """So many visitors who see the banner and refuse."""
    show(client, notice, times, language, **headers)
    said = {"notice": notice, "language": language, "action": "refuse_all", "method": "banner", "grants": {}}
    for _ in range(times):
        assert post(client, said | {"decision_id": str(uuid4())}, headers=headers).status_code == 201


@pytest.fixture
def marketer(app: Flask) -> dict[str, str]:
    return token(app, "marketer", "shop")


def ask(client: FlaskClient, headers: Mapping[str, str], query: str = "", site: str = "shop") -> dict[str, Any]:
    """Ask for rates, as if the days so far were over."""
    end_days(context_of(client.application))
    response = client.get(f"/v1/sites/{site}/rates{query}", headers=headers)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def row(answer: Mapping[str, Any], key: str) -> Any:
    return next(one for one in answer["rows"] if one["key"] == key)


@pytest.mark.on_both_databases
def test_the_figures_are_those_of_what_happened(
    client: FlaskClient, body: Body, notice: str, services: Context, marketer: dict[str, str]
) -> None:
    show(client, notice, 8)
    show(client, notice, 2, **PHONE)
    accepted = [post(client, body()).get_json() for _ in range(3)]
    post(client, body.refusal())
    post(client, body.choice(True, False), headers=PHONE)
    # Of a visitor who had chosen before: never a first choice.
    visitor = accepted[0]["visitor"]
    post(client, body.refusal(visitor=visitor, change=True) | {"action": "withdraw", "method": "preferences"})
    post(client, body.choice(False, True, visitor=accepted[1]["visitor"], change=True))
    before = ask(client, marketer)
    fold_tallies(services.database)
    found = ask(client, marketer)
    assert found == before  # waiting in the inbox or rolled up: the figures are the same
    assert (found["site"], found["from"], found["to"]) == ("shop", "2026-10-27", "2026-11-23")
    totals = found["totals"]
    assert {name: totals[name] for name in ("shown", "decisions", "accept_all", "refuse_all", "save")} == {
        "shown": 10, "decisions": 5, "accept_all": 3, "refuse_all": 1, "save": 1,
    }  # fmt: skip
    assert (totals["no_choice"], totals["changes"], totals["withdrawals"]) == (5, 1, 1)
    assert found["rates"]["interaction"]["value"] == 0.5
    assert found["rates"]["interaction"]["formula"] == "decisions / shown"
    assert found["rates"]["consent"]["value"] == 0.6
    assert found["rates"]["consent"]["low"] == pytest.approx(0.2307, abs=1e-4)
    assert found["rates"]["consent"]["high"] == pytest.approx(0.8824, abs=1e-4)
    assert found["purposes"]["analytics"]["granted"] == 4
    assert found["purposes"]["analytics"]["denied"] == 1
    assert found["vendors"]["meta-pixel"]["granted"] == 3
    assert [one["key"] for one in found["rows"]] == ["2026-11-23"]
    # Fewer than ten on a device: not told.
    assert [(one["key"], one["totals"]["shown"]) for one in ask(client, marketer, "?by=device")["rows"]] == [
        ("other", None)
    ]
    assert row(ask(client, marketer, "?by=notice"), notice)["totals"] == totals
    hour = row(ask(client, marketer, "?by=hour&from=2026-11-23"), "2026-11-23T23")
    assert (hour["totals"]["shown"], hour["totals"]["accept_all"], hour["purposes"]) == (10, 3, {})


def test_a_repeated_or_refused_post_never_counts(
    client: FlaskClient, body: Body, notice: str, marketer: dict[str, str]
) -> None:
    show(client, notice)
    sent = body()
    assert [post(client, sent).status_code for _ in range(3)] == [201, 200, 200]
    assert post(client, sent | {"language": "fr"}).status_code == 409
    assert post(client, body(grants={"analytics": False, "advertising": True})).status_code == 422
    totals = ask(client, marketer)["totals"]
    assert (totals["shown"], totals["decisions"], totals["accept_all"]) == (1, 1, 1)


def test_robots_and_prefetches_are_left_out_and_said(
    client: FlaskClient, body: Body, notice: str, marketer: dict[str, str]
) -> None:
    show(client, notice)
    show(client, notice, 2, **CRAWLER)
    show(client, notice, 3, **{"Sec-Purpose": "prefetch;prerender"})
    assert post(client, body(), headers=CRAWLER).status_code == 201  # recorded, since a receipt is owed
    totals = ask(client, marketer)["totals"]
    assert (totals["shown"], totals["decisions"]) == (1, 0)
    assert (totals["robots"], totals["prefetches"]) == (3, 3)


@pytest.mark.on_both_databases
def test_nothing_of_a_visitor_is_kept(client: FlaskClient, notice: str, services: Context) -> None:
    show(client, notice, 50, **PHONE)
    show(client, notice, 50, "fr")
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(TallyRow)) == 2
    assert fold_tallies(services.database) == 2
    assert fold_tallies(services.database) == 0
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(TallyRow)) == 0
        assert session.scalar(select(func.count()).select_from(DecisionRow)) == 0
        kept = [
            (row.dimension, row.period, row.value, row.counter, row.count)
            for row in session.scalars(select(RollUpRow).order_by(RollUpRow.dimension, RollUpRow.value))
        ]
    # Margins only: which language came with which device is forgotten.
    assert kept == [
        ("country", "2026-11-23", "", "shown", 100),
        ("day", "2026-11-23", "", "shown", 100),
        ("device", "2026-11-23", "desktop", "shown", 50),
        ("device", "2026-11-23", "mobile", "shown", 50),
        ("hour", "2026-11-23T17", "", "shown", 100),
        ("language", "2026-11-23", "en", "shown", 50),
        ("language", "2026-11-23", "fr", "shown", 50),
        ("pulse", "2026-11-23T17", "", "shown", 100),
    ]


@pytest.mark.on_both_databases
def test_days_are_the_sites_own(client: FlaskClient, apply_site: Apply, clock: Clock, marketer: dict[str, str]) -> None:
    notice = apply_site(site_file(f'{TOP}time_zone = "Asia/Kolkata"\n'))
    clock.advance(hours=1, minutes=25)  # 18:25 in London is 23:55 in Kolkata
    show(client, notice)
    clock.advance(minutes=10)
    show(client, notice, 2)
    found = ask(client, marketer)
    assert [(one["key"], one["totals"]["shown"]) for one in found["rows"]] == [("2026-11-23", 1), ("2026-11-24", 2)]
    assert found["to"] == "2026-11-24"


@pytest.mark.on_both_databases
def test_the_hour_that_comes_twice_is_one_row_with_both(
    client: FlaskClient, services: Context, apply_site: Apply, clock: Clock, marketer: dict[str, str]
) -> None:
    notice = apply_site(site_file(f'{TOP}time_zone = "Europe/Paris"\n'))
    for hour in range(-3, 26):  # every hour of the 25 from midnight to midnight in Paris, and two around them
        clock.at = datetime(2026, 10, 24, 22, 30, tzinfo=UTC) + timedelta(hours=hour)
        show(client, notice)
    day = date(2026, 10, 25)
    with services[RatesReader].site("shop") as site:
        hours = {count.key: count.events[CounterName(Measure.SHOWN)] for count in site.pulse(Span(day, day))}
    assert hours == {f"2026-10-25T{hour:02d}": 2 if hour == 2 else 1 for hour in range(24)}
    # Of so few first choices no hour is told by itself.
    found = ask(client, marketer, "?by=hour&from=2026-10-25&to=2026-10-25")
    assert [(one["key"], one["totals"]["shown"]) for one in found["rows"]] == [("2026-10-25T23", 25)]
    by_day = ask(client, marketer, "?from=2026-10-24&to=2026-10-26")["rows"]
    assert [(one["key"], one["totals"]["shown"]) for one in by_day] == [
        ("2026-10-24", 3), ("2026-10-25", 25), ("2026-10-26", 1),
    ]  # fmt: skip


@pytest.mark.on_both_databases
def test_small_groups_are_not_told(client: FlaskClient, notice: str, marketer: dict[str, str], clock: Clock) -> None:
    refuse(client, notice, 30)
    # Nine visitors, however many pages they saw.
    refuse(client, notice, 9, "fr")
    show(client, notice, 40, "fr")
    found = ask(client, marketer, "?by=language")
    assert [one["key"] for one in found["rows"]] == ["other"]
    assert found["totals"]["shown"] == 79
    clock.advance(days=1)
    refuse(client, notice, 30)
    refuse(client, notice, 10, "fr")
    assert [one["key"] for one in ask(client, marketer, "?by=language&from=2026-11-24")["rows"]] == ["en", "fr"]


def test_one_notice_is_not_told_by_leaving_out_the_other(
    client: FlaskClient, notice: str, apply_site: Apply, marketer: dict[str, str]
) -> None:
    refuse(client, notice, 3)
    refuse(client, notice, 11, "fr")
    new = apply_site(site_file(vendors=ANALYTICS))
    refuse(client, new, 40)
    found, of_new = (ask(client, marketer, f"?by=language{less}") for less in ("", f"&notice={new}"))
    assert {one["key"]: one["totals"]["shown"] for one in of_new["rows"]} == {"en": 40}
    assert {one["key"]: one["totals"]["shown"] for one in found["rows"]} == {"en": 40, "other": 14}


@pytest.mark.on_both_databases
def test_what_is_counted_on_a_closed_day_is_still_counted_once(
    client: FlaskClient, notice: str, services: Context, clock: Clock, marketer: dict[str, str]
) -> None:
    refuse(client, notice, 12)
    fold_tallies(services.database)
    late = clock() + timedelta(days=1)
    assert close_days(services.database, quiet, late) == 1
    refuse(client, notice, 3)
    assert close_days(services.database, quiet, late) == 0  # what waits in the inbox is folded first
    for _ in range(2):
        found = ask(client, marketer, "?by=language")
        assert {one["key"]: one["totals"]["shown"] for one in found["rows"]} == {"en": 12, "other": None}
        assert found["totals"]["shown"] == 15


def test_countries_come_from_the_header_that_the_operator_names(
    app: Flask, services: Context, notice: str, clock: Clock, marketer: dict[str, str]
) -> None:
    settings = replace(services.settings, country_header="CF-IPCountry")
    named = create_app(settings, now=clock)
    client = named.test_client(use_cookies=False)
    for country, times in (("FR", 12), ("DE-BE", 11), ("F1", 10), ("XX", 1), ("T1", 1)):
        refuse(client, notice, times, **{"CF-IPCountry": country})
    found = ask(client, marketer, "?by=country")
    named.extensions["consent"].database.engine.dispose()
    assert {one["key"]: one["totals"]["shown"] for one in found["rows"]} == {"": 12, "DE": 11, "FR": 12}


@pytest.mark.on_both_databases
def test_conversions_are_counted_by_vendor(
    client: FlaskClient, body: Body, notice: str, marketer: dict[str, str]
) -> None:
    show(client, notice)
    post(client, body())
    page = {"notice": notice, "language": "en"}
    for sent, blocked in ((2, 1), (1, 3)):
        counts = {"sent": {"google-ads": sent}, "blocked": {"google-ads": blocked}}
        assert post(client, page | counts, path="conversions").status_code == 204
    assert post(client, page, path="conversions").status_code == 204
    ads = ask(client, marketer)["vendors"]["google-ads"]
    assert ads["conversions"]["sent"] == 3
    assert ads["conversions"]["blocked"] == 4


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"sent": {"nobody": 1}}, 422), ({"sent": {"google-ads": 0}}, 400), ({"sent": {"google-ads": True}}, 400),
        ({"sent": {"google-ads": 1001}}, 400), ({"sent": []}, 400), ({"value": 1}, 400),
    ],
)  # fmt: skip
def test_conversions_that_cannot_be_are_refused(
    client: FlaskClient, notice: str, marketer: dict[str, str], changes: dict[str, Any], status: int
) -> None:
    page = {"notice": notice, "language": "en"} | changes
    assert post(client, page, path="conversions").status_code == status
    assert ask(client, marketer)["rows"] == []


def test_a_vendor_that_cannot_be_is_pointed_at(client: FlaskClient, notice: str) -> None:
    page = {"notice": notice, "language": "en", "sent": {"a/b": 1}, "blocked": {"~c": 1, "google-ads": 1}}
    refusal = post(client, page, path="conversions").get_json()
    assert [fault["pointer"] for fault in refusal["errors"]] == ["#/sent/a~1b", "#/blocked/~0c"]


@pytest.mark.parametrize(
    "query",
    [
        "?by=weekday", "?from=2026-13-01", "?from=2026-11-02&to=2026-11-01", "?from=2020-01-01", "?colour=red",
        "?by=hour&from=2026-09-01", "?notice=abc", "?from=9999-12-31",
        f"?notice={'0' * 64}", "?from=2026-11-02&compare_from=2026-11-02",
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(client: FlaskClient, marketer: dict[str, str], query: str, notice: str) -> None:
    response = client.get(f"/v1/sites/shop/rates{query}", headers=marketer)
    assert response.status_code == 400
    assert response.get_json()["errors"]


def test_only_the_sites_marketer_reads_them(app: Flask, client: FlaskClient) -> None:
    for path in ("rates", "rates.csv"):
        assert client.get(f"/v1/sites/shop/{path}").status_code == 401
        for role, site in (("marketer", "rival"), ("auditor", "shop")):
            assert client.get(f"/v1/sites/shop/{path}", headers=token(app, role, site)).status_code == 403
        assert client.get(f"/v1/sites/shop/{path}", headers=token(app, "operator")).status_code == 200


def test_a_marketer_sees_no_receipt(app: Flask, client: FlaskClient, body: Body, marketer: dict[str, str]) -> None:
    receipt_id = post(client, body()).get_json()["receipt_id"]
    for path in (f"/v1/receipts/{receipt_id}", "/v1/sites/shop/decisions", "/v1/sites/shop/evidence"):
        assert client.get(path, headers=marketer).status_code == 403
