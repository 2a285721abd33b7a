"""The made-up year of `make demo`: plausible, whole, the same each time, and marked wherever it is told of."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from consent_server.config import ROOT
from consent_server.extensions import Services
from consent_server.site_file import read_site_file
from consent_server.usecases.check_ledger import check_ledger
from consent_server.usecases.find_site import find_site
from consent_server.usecases.publish_notice import publish_notice
from consent_server.usecases.read_experiment import read_experiment
from consent_server.usecases.read_rates import By, Span, read_rates
from examples.demo.fill import Clock, declarations, fill
from examples.demo.year import Year
from tests.access.people import CAST, Person
from tests.conftest import Apply
from tests.factories import CALLBELL, START, site_file

DAYS = 30
MARK = "Demonstration data"


@pytest.fixture
def filled(services: Services) -> int:
    """How many events the last days before the clock's time had."""
    clock = Clock(START)
    ours = Services.make(services.settings, services.database.engine, clock)
    *_, (_, events) = fill(ours, clock, START, DAYS)
    return events


def test_the_figures_are_plausible_and_the_ledger_is_clean(services: Services, filled: int) -> None:
    last = date(2026, 11, 23)
    span = Span(last - timedelta(days=DAYS - 1), last)
    found = read_rates(services.database, "callbell", span, By.DAY)
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
        assert len(read_rates(services.database, "callbell", span, by).report.rows) >= least
    assert len(found.publications) == 3
    tried = read_experiment(services.database, "callbell", START)
    assert tried.experiment.promoted == "bar"
    assert tried.span is not None
    assert all(arm.figures.totals.shown > 20 for arm in tried.arms)
    assert tried.experiment.arms[1].notice.notice.hash == found.publications[1].notice
    checked = check_ledger(services.database, services.keys.ring, "callbell")
    assert checked.leaves == totals.decisions + totals.changes + totals.withdrawals + totals.gpc
    assert checked.faults == []


def test_the_same_year_each_time() -> None:
    one, other = (list(Year(date(2026, 11, 23))) for _ in range(2))
    assert one == other
    weekday, weekend = ([len(events) for day, events in one if (day.weekday() > 4) is late] for late in (False, True))
    assert sum(weekday) / len(weekday) > 2 * sum(weekend) / len(weekend)
    assert 15_000 < sum(event.action is None and not event.converts for _, events in one for event in events) < 30_000
    august = sum(len(events) for day, events in one if day.month == 8)
    assert august < 0.8 * sum(len(events) for day, events in one if day.month == 7)


def test_the_last_notice_is_the_example_s() -> None:
    assert declarations()[-1] == read_site_file(CALLBELL.read_text("utf-8"))


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_every_page_about_the_site_says_that_it_is_made_up(
    bare_app: Flask, services: Services, apply_site: Apply
) -> None:
    apply_site(site_file())
    publish_notice(services.database, declarations()[-1], services.settings.public_url, services.now(), demo=True)
    olga = Person(bare_app, "olga")
    olga.accept(olga.invited(*CAST["olga"]))
    assert olga.open("/console").text.count(MARK) == 1
    for place in ("rates", "records", "sample", "gaps"):
        page = olga.open(f"/console/sites/callbell/{place}")
        assert page.status_code == 200
        assert page.text.count(MARK) == 1, place
        assert MARK not in olga.open(f"/console/sites/shop/{place}").text


def test_the_mark_is_never_set_on_a_real_site_and_never_taken_away(services: Services) -> None:
    def apply(text: str, demo: bool) -> bool:
        declared = read_site_file(text)
        publish_notice(services.database, declared, services.settings.public_url, services.now(), demo=demo)
        return find_site(services.database, declared["key"]).site.demo

    assert [apply(site_file(), demo) for demo in (False, True)] == [False, False]
    assert [apply(CALLBELL.read_text("utf-8"), demo) for demo in (True, False)] == [True, True]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_it_is_never_put_into_a_site_that_is_there(services: Services, apply_site: Apply, tmp_path: Path) -> None:
    apply_site(CALLBELL.read_text("utf-8"))
    done = subprocess.run(
        [sys.executable, "examples/demo/fill.py"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"CONSENT_INSTANCE": str(tmp_path), "CONSENT_SECRET_KEY": services.settings.secret_key},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("The site callbell is there already.")
    now = datetime.now(UTC).date()
    assert read_rates(services.database, "callbell", Span(now, now), By.DAY).report.rows == ()
