"""The made-up year of `make demo`: plausible, whole, the same each time, and marked wherever it is told of."""

import csv
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from flask import Flask

from consent_server.app import create_app
from consent_server.core.context import Context, context_of
from consent_server.core.resources import ROOT
from consent_server.ledger.check import check_ledger
from consent_server.rates.read import RatesReader
from consent_server.rates.read_experiment import read_experiment
from consent_server.rates.rules_dashboard import Rates
from consent_server.rates.rules_filters import By, Filters, Span
from consent_server.sites.find import find_site
from consent_server.sites.publish import publish_notice
from consent_server.sites.site_file import read_site_file
from examples.demo.fill import EXPERIMENT, Clock, declarations, fill, main
from examples.demo.year import ZONE, Year
from tests.support.experiment_files import BOX, with_experiment
from tests.support.factories import CALLBELL, PUBLIC_URL, SHOP, START, Body, site_file
from tests.support.people import CAST, Person
from tests.support.rates_page import end_days
from tests.support.sites import Apply
from tests.support.visitor import post

DAYS = 30
MARK = "Demonstration data"
# Everything that the consoles tell of one site, and the origin of each.
PLACES = ("rates", "experiment", "records", "sample", "gaps", "erasure-requests")
SITES = {"callbell": "https://www.callbell.eu", "shop": SHOP}
TITLE_ARM = {
    "name": "title",
    "weight": 50,
    "banner": {"layout": "bar", "colours": {}},
    "texts": {"en": {"title": "Yours"}},
}


def read_rates(services: Context, span: Span, by: By = By.DAY) -> Rates:
    with services[RatesReader].site("callbell") as site:
        return site.rates(Filters(span, by))


@pytest.fixture
def filled(services: Context) -> int:
    """How many events the last days before the clock's time had."""
    clock = Clock(START)
    played = context_of(create_app(services.settings, now=clock))
    *_, (_, events) = fill(played, clock, START, DAYS)
    with services[RatesReader].site("callbell") as site:
        today = site.rates(Filters(Span(site.today, site.today))).report.whole.totals
    assert today.decisions >= 10, "Nothing is told of today."
    end_days(services)
    played.database.engine.dispose()
    return events


@pytest.mark.slow
def test_the_figures_are_plausible_and_the_ledger_is_clean(services: Context, filled: int) -> None:
    last = date(2026, 11, 23)
    span = Span(last - timedelta(days=DAYS - 1), last)
    found = read_rates(services, span)
    totals = found.report.whole.totals
    assert [key for key, _ in found.report.rows] == [f"{span.first + timedelta(days=n)}" for n in range(DAYS)]
    assert DAYS * 30 < totals.shown < DAYS * 90
    for name, low, high in (("interaction", 0.45, 0.75), ("consent", 0.35, 0.6), ("refusal", 0.25, 0.5)):
        rate = totals.rate(name).value
        assert rate is not None
        assert low < rate < high, name
    assert 0 < totals.withdrawals < totals.granted / 10
    assert min(totals.changes, totals.robots, totals.prefetches, totals.with_gpc) > 0
    ads = found.report.whole.vendors["google-ads"]
    assert min(ads.sent, ads.blocked) > 0
    assert totals.shown + totals.decisions < filled
    for by, least in ((By.NOTICE, 3), (By.LANGUAGE, 4), (By.DEVICE, 3), (By.COUNTRY, 5)):
        assert len(read_rates(services, span, by).report.rows) >= least
    assert len(found.publications) == 3
    tried = read_experiment(services[RatesReader], "callbell")
    assert tried.experiment.promoted == "bar"
    assert tried.span is not None
    assert all(arm.figures.totals.shown > 20 for arm in tried.arms)
    assert tried.experiment.arms[1].notice.notice.hash == found.publications[1].notice
    checked = check_ledger(services.database, services.keys.ring, "callbell")
    assert checked.counts["leaves"] == totals.decisions + totals.changes + totals.withdrawals + totals.gpc
    assert checked.faults == []


@pytest.mark.slow
def test_the_same_year_each_time() -> None:
    one, other = (list(Year(date(2026, 11, 23))) for _ in range(2))
    assert one == other
    weekday, weekend = ([len(events) for day, events in one if (day.weekday() > 4) is late] for late in (False, True))
    assert sum(weekday) / len(weekday) > 2 * sum(weekend) / len(weekend)
    assert (
        15_000
        < sum(event.action is None and not (event.converts or event.sampled) for _, events in one for event in events)
        < 30_000
    )
    august = sum(len(events) for day, events in one if day.month == 8)
    assert august < 0.8 * sum(len(events) for day, events in one if day.month == 7)


def test_the_last_notice_is_the_example_s() -> None:
    assert declarations()[-1] == read_site_file(CALLBELL.read_text("utf-8"))


@pytest.mark.slow
def test_every_page_about_the_site_says_that_it_is_made_up(
    bare_app: Flask, services: Context, apply_site: Apply
) -> None:
    apply_site(with_experiment(BOX))
    declared = {**declarations()[-1], "experiment": EXPERIMENT | {"arms": [TITLE_ARM]}}
    publish_notice(services.database, declared, services.settings.public_url, services.now(), demo=True)
    olga = Person(bare_app, "olga")
    olga.accept(olga.invited(*CAST["olga"]))
    assert olga.open("/console").text.count(MARK) == 1
    pages = {site: list(pages_about(olga, site)) for site in SITES}
    for made_up, real in zip(pages["callbell"], pages["shop"], strict=True):
        assert olga.open(made_up).text.count(MARK) == 1, made_up
        assert olga.open(real).status_code == 200, real
        assert MARK not in olga.open(real).text, real
    for site, demo in (("callbell", True), ("shop", False)):
        for data in ("rates", "experiment"):
            assert olga.browser.get(f"/v1/sites/{site}/{data}").get_json()["demo"] is demo
        table = csv.DictReader(StringIO(olga.browser.get(f"/v1/sites/{site}/rates.csv?by=notice").text))
        assert {row["demo"] for row in table} == {str(demo).lower()}
        with zipfile.ZipFile(BytesIO(olga.browser.get(f"/v1/sites/{site}/evidence").data)) as pack:
            assert (MARK in pack.read("README.md").decode()) is demo


def pages_about(olga: Person, site: str) -> Iterator[str]:
    """The address of every page that tells of a site: consoles, what is shared, what a visitor sees."""
    yield from (f"/console/sites/{site}/{place}" for place in PLACES)
    report = olga.send(f"/console/sites/{site}/rates/link", {"days": "latest", "lifetime": "7"}, at="/console").text
    yield re.findall(f'"{PUBLIC_URL}(/reports/[^"]+)"', report)[0]
    response = olga.browser.get(f"/v1/sites/{site}/notice")
    notice, origin = response.headers["ETag"].strip('"'), SITES[site]
    olga.browser.get(f"/widget/{site}.js")
    yield f"/v1/notices/{notice}?format=html"
    yield f"/v1/notices/{notice}/preview"
    yield f"/sites/{site}/choice"
    answer = post(olga.browser, Body(notice).refusal(page=f"{origin}/"), site, origin).get_json()
    yield answer["receipt_url"].removeprefix(PUBLIC_URL)
    yield f"/console/sites/{site}/records/{answer['receipt_id']}"


def test_a_choice_made_without_a_script_says_so_too(bare_app: Flask, services: Context) -> None:
    publish_notice(services.database, declarations()[-1], services.settings.public_url, services.now(), demo=True)
    browser = bare_app.test_client(use_cookies=False)
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', browser.get("/sites/callbell/choice").text))
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    chosen = browser.post("/sites/callbell/choice", data=form | {"action": "refuse_all"}, headers=headers)
    assert chosen.status_code == 200
    assert chosen.text.count(MARK) == 1


@pytest.mark.slow
def test_what_make_demo_runs_fills_an_empty_instance_once(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "consent.sqlite3")
    monkeypatch.setenv("CONSENT_INSTANCE", str(tmp_path))
    main(DAYS)
    app = create_app()
    our: Context = app.extensions["consent"]
    today = datetime.now(ZONE).date()
    found = read_rates(our, Span(today - timedelta(days=DAYS), today))
    assert found.site.demo
    # The night may have nobody yet in today.
    assert len(found.report.rows) in (DAYS - 1, DAYS)
    assert found.report.whole.totals.decisions > DAYS * 10
    with pytest.raises(SystemExit, match="is there already"):
        main(DAYS)
    assert read_rates(our, found.filters.span).report == found.report
    our.database.engine.dispose()


@pytest.mark.on_both_databases
def test_the_mark_is_never_set_on_a_real_site_and_never_taken_away(services: Context) -> None:
    def apply(text: str, demo: bool) -> bool:
        declared = read_site_file(text)
        publish_notice(services.database, declared, services.settings.public_url, services.now(), demo=demo)
        return find_site(services.database, declared["key"]).site.demo

    assert [apply(site_file(), demo) for demo in (False, True)] == [False, False]
    assert [apply(CALLBELL.read_text("utf-8"), demo) for demo in (True, False)] == [True, True]


@pytest.mark.slow
def test_it_is_never_put_into_a_site_that_is_there(services: Context, apply_site: Apply, tmp_path: Path) -> None:
    apply_site(CALLBELL.read_text("utf-8"))
    done = subprocess.run(
        [sys.executable, "examples/demo/fill.py"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"CONSENT_INSTANCE": str(tmp_path), "CONSENT_SECRET_KEY": services.settings.secret_key},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("The site callbell is there already.")
    now = datetime.now(UTC).date()
    assert read_rates(services, Span(now, now)).report.rows == ()
