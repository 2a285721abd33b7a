"""A rate outside its band, or a banner that nobody answers, is an alert: the right ones, each once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from consent_server import worker
from consent_server.core.channels import Channel
from consent_server.core.context import Context
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.rates import store_alerts as alerts
from consent_server.rates.read import RatesReader
from consent_server.rates.rows import AlertRow, DeliveryRow
from consent_server.rates.rules_alerts import Alert, AlertKind, burst
from consent_server.rates.watch import watch_rates
from consent_server.sites import store as sites
from tests.support.alerts import FALLEN, YESTERDAY, History
from tests.support.cast import token
from tests.support.factories import TOP, Clock, site_file
from tests.support.scrape import scrape
from tests.support.sites import Apply


def test_a_month_like_any_other_raises_nothing(history: History, clock: Clock) -> None:
    history.usual(31, YESTERDAY)
    for _ in range(3):
        assert history.watch() == []
        clock.advance(hours=5)


@pytest.mark.on_both_databases
def test_a_fall_is_raised_once_in_each_rate_that_it_shows_in(history: History, clock: Clock) -> None:
    history.fall()
    assert history.watch() == []
    raised = clock()
    clock.advance(days=1)
    history.day(YESTERDAY + timedelta(days=1))
    assert history.watch() == []
    (found,) = history.raised()
    assert (found.raised_at, found.untold) == (raised, [])
    assert found.alert.title == "consent rate and 3 more outside their usual band"
    # By hand: 50 % of 120 a day on each of four Sundays, so 3 * sqrt(0.25 / 120 * (1 + pi / 2 / 4)) = 16.16 points
    # either way; 20 of 120 are 16.7 %.
    assert found.alert.text.startswith(
        "The consent rate of 2026-11-22 is 16.7 %, outside its usual 33.8 to 66.2 %. The opt-in rate of 2026-11-22 is"
    )
    assert "The analytics grant rate of 2026-11-22 is 16.7 %" in found.alert.text
    assert found.alert.text.endswith("Look at what changed: a release, a notice, a campaign.")
    assert history.raised("rival") == []
    clock.advance(days=15)
    assert history.raised() == []


@pytest.mark.slow
def test_a_lasting_change_is_raised_once(history: History, clock: Clock) -> None:
    history.fall()
    for day in range(45):
        history.day(YESTERDAY + timedelta(days=day + 1), accepted=20)
        clock.advance(days=1)
        assert history.watch() == []


def test_a_server_that_was_off_raises_a_lasting_change_once(history: History, clock: Clock) -> None:
    history.usual()
    for day in range(3):
        history.day(YESTERDAY + timedelta(days=day), accepted=20)
    clock.advance(days=2)
    assert history.watch() == [f"{subject} 2026-11-22" for subject in FALLEN]
    assert history.watch() == []


@pytest.mark.on_both_databases
def test_what_came_back_may_leave_again(history: History, clock: Clock) -> None:
    history.fall()
    for accepted, raised in ((60, []), (5, [f"{subject} 2026-11-24" for subject in FALLEN]), (5, [])):
        history.day(clock().date(), accepted=accepted)
        clock.advance(days=1)
        assert history.watch() == raised


def test_a_rate_that_leaves_on_the_other_side_is_news(history: History, clock: Clock) -> None:
    history.fall()
    history.day(clock().date(), accepted=119)
    clock.advance(days=1)
    assert history.watch() == [f"{subject} 2026-11-23" for subject in FALLEN]


def test_a_fall_of_answers_alone_is_the_fall_of_interaction(history: History) -> None:
    history.usual()
    history.hour("2026-11-22T12", shown=400, accepted=75, refused=75)
    assert history.watch() == ["interaction 2026-11-22", "opt_in 2026-11-22"]


def test_lost_views_are_no_rate_and_no_alert(history: History) -> None:
    history.usual()
    history.hour("2026-11-22T12", shown=119, accepted=60, refused=60)
    assert history.watch() == []


def test_a_server_that_was_off_still_says_what_happened(history: History, clock: Clock) -> None:
    history.usual()
    history.day(YESTERDAY, accepted=20)
    clock.advance(days=2)
    assert history.watch() == [f"{subject} 2026-11-22" for subject in FALLEN]


def test_days_end_on_the_sites_own_clock(apply_site: Apply, services: Context, clock: Clock) -> None:
    apply_site(site_file(f'{TOP}time_zone = "Asia/Kolkata"\n'))
    history = History(services, clock)
    history.usual(30, YESTERDAY)
    history.day(YESTERDAY + timedelta(days=1), accepted=20)
    assert history.watch() == []  # 22:30 in Kolkata: the day is not over
    clock.advance(hours=1, minutes=34)
    assert history.watch() == []  # four minutes past midnight: something may still be under way
    clock.advance(minutes=2)
    assert history.watch() == [f"{subject} 2026-11-23" for subject in FALLEN]


@pytest.mark.on_both_databases
def test_several_workers_raise_it_once(history: History, services: Context, clock: Clock) -> None:
    history.usual()
    history.day(YESTERDAY, accepted=20)
    history.close()
    workers = 4
    together = threading.Barrier(workers)

    def work(_: int) -> int:
        together.wait(30)
        return len(watch_rates(RatesReader(services.database, clock), [Channel.WEBHOOK]))

    with ThreadPoolExecutor(workers) as pool:
        assert sum(pool.map(work, range(workers))) == 1
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AlertRow)) == 1
        assert session.scalar(select(func.count()).select_from(DeliveryRow)) == 1


@pytest.mark.parametrize("folded", [True, False])
def test_a_banner_that_nobody_answers_any_more(history: History, clock: Clock, folded: bool) -> None:
    history.usual(31, YESTERDAY)
    # Of the hour of the last answer nobody knows which views came after it.
    history.hour("2026-11-23T09", shown=500, accepted=1)
    history.hour("2026-11-23T10", shown=49)
    if folded:
        fold_tallies(history.services.database)
    assert history.watch() == []
    history.hour("2026-11-23T16", shown=1)
    assert history.watch() == ["never_answered 2026-11-23T09"]
    (found,) = history.raised()
    assert found.alert.text.startswith("The banner was shown 50 times since 2026-11-23 09:59 and never answered. Open")
    # The same silence, also on the days after, is no news.
    for _ in range(3):
        history.hour("2026-11-23T17", shown=100)
        clock.advance(hours=12)
        assert not [one for one in history.watch() if one.startswith("never_answered")]
    # Another one is, where it is twice as long.
    history.hour("2026-11-24T20", shown=1, accepted=1)
    clock.advance(hours=12)
    history.hour("2026-11-25T10", shown=700)
    assert "never_answered 2026-11-24T20" not in history.watch()
    history.hour("2026-11-25T10", shown=1)
    assert "never_answered 2026-11-24T20" in history.watch()


def test_a_program_that_looks_at_pages_at_night_is_no_broken_banner(history: History, clock: Clock) -> None:
    # 60 views on one night in ten: more than 50 are ever left unanswered by visitors, of whom 60 % answer.
    history.usual(31, YESTERDAY)
    history.hour("2026-11-15T03", shown=60)
    history.hour("2026-11-23T12", shown=10, accepted=6)
    history.hour("2026-11-23T13", shown=120)
    assert not [one for one in history.watch() if one.startswith("never_answered")]
    history.hour("2026-11-23T14", shown=1)
    assert [one for one in history.watch() if one.startswith("never_answered")] == ["never_answered 2026-11-23T12"]


def test_a_slow_fall_is_told_with_the_day_on_which_it_began(history: History, clock: Clock) -> None:
    history.usual()
    told = []
    for number in range(7):
        day = YESTERDAY + timedelta(days=number)
        history.day(day, accepted=49)
        told += [(one, history.raised()[0].alert.text) for one in history.watch() if one.startswith("consent")]
        clock.advance(days=1)
    # By hand: 9.2 points below at 5.4 a standard deviation are 1.7, so the sum exceeds 5 on the fifth day.
    ((raised, text),) = told
    assert raised == "consent 2026-11-26"
    assert text.startswith(
        "The consent rate has mostly been below its usual 50.0 % since 2026-11-22; on 2026-11-26 it is 40.8 %."
    )


def test_a_small_site_is_judged_by_seven_days(history: History) -> None:
    hours = [(f"{YESTERDAY - timedelta(days=back)}T12", 40, 4 if back < 7 else 12, 8) for back in range(63)]
    for hour, shown, accepted, refused in hours:
        history.hour(hour, shown=shown, accepted=accepted, refused=refused)
    # Six of the seven days tell it by themselves: 36 of 92, where 60 % are usual.
    assert "consent 2026-11-21" in history.watch()
    (found,) = history.raised()
    assert found.alert.text.startswith("The consent rate of 2026-11-15 to 2026-11-21 is 39.1 %, outside its usual ")


def test_an_alert_of_the_version_before_is_still_told(history: History, clock: Clock) -> None:
    detail = {"value": 0.1667, "usual": 0.5, "low": 0.3631, "high": 0.6369, "z": -7.303, "days": 28}
    alert = Alert(AlertKind.OUTSIDE_BAND, "purpose analytics", "2026-11-22", detail)
    with history.services.database.transaction() as session:
        alerts.raise_once(session, sites.get(session, "shop").id, alert, clock(), [])
    (found,) = history.raised()
    assert found.alert.title == "analytics grant rate outside its usual band"
    assert found.alert.text.startswith(
        "The analytics grant rate of 2026-11-22 is 16.7 %, outside its usual 36.3 to 63.7 %. Look at what changed"
    )


def test_a_new_banner_that_nobody_ever_answered(history: History, clock: Clock) -> None:
    assert history.watch() == []
    history.hour("2026-11-22T23", shown=400)
    history.hour("2026-11-23T00", shown=99)
    assert history.watch() == []
    history.hour("2026-11-23T01", shown=1)
    assert history.watch() == ["never_answered 2026-11-22"]
    clock.advance(days=40)
    history.hour("2027-01-02T01", shown=1000)
    assert history.watch() == []
    with history.services.database.reading() as session:
        assert session.scalars(select(AlertRow.detail)).one() == {"shown": 500, "since": "2026-11-22"}


@pytest.mark.on_both_databases
def test_figures_for_a_monitoring_system(history: History, app: Flask, client: FlaskClient, clock: Clock) -> None:
    history.fall()
    response = client.get("/metrics", headers=token(app, "operator"))
    for line in (
        'consent_alerts{kind="outside_band",site="shop"} 1.0',
        'consent_alerts{kind="never_answered",site="shop"} 0.0',
        'consent_alerts{kind="outside_band",site="rival"} 0.0',
        'consent_rate_yesterday{rate="interaction",site="shop"} 0.6',
        'consent_rate_yesterday{rate="opt_in",site="shop"} 0.1',
        'consent_alerts_untold{channel="webhook"} 0.0',
    ):
        assert line in response.text.splitlines(), response.text
    # Where there is no rate there is no figure.
    assert 'consent_rate_yesterday{rate="interaction",site="rival"}' not in response.text
    clock.advance(hours=25)
    assert (
        'consent_alerts{kind="outside_band",site="shop"} 0.0'
        in client.get("/metrics", headers=token(app, "operator")).text
    )
    assert scrape(client, token(app, "operator"))


def test_the_dashboard_says_what_is_worth_a_look(history: History, app: Flask, client: FlaskClient) -> None:
    marketer, rival = token(app, "marketer", "shop"), token(app, "marketer", "rival")
    assert "Worth a look" not in client.get("/console/sites/shop/rates", headers=marketer).text
    history.fall()
    history.hour("2026-11-23T01", shown=500)
    history.watch()
    page = client.get("/console/sites/shop/rates", headers=marketer).text
    assert "The consent rate of 2026-11-22 is 16.7 %, outside its usual 33.8 to 66.2 %." in page
    assert "The banner was shown 500 times since 2026-11-22 12:59 and never answered." in page
    assert "Raised 2026-11-23 17:00:00 UTC." in page
    assert "earlier, of the last two weeks" not in page
    said = client.get("/v1/sites/shop/rates", headers=marketer).get_json()["alerts"]
    assert all(one["text"] in page for one in said)
    assert {one["kind"] for one in said} == {"outside_band", "never_answered"}
    assert {one["raised_at"] for one in said} == {"2026-11-23T17:00:00.250Z"}
    assert client.get("/v1/sites/rival/rates", headers=rival).get_json()["alerts"] == []
    assert "Worth a look" not in client.get("/console/sites/rival/rates", headers=rival).text


def test_every_server_watches_by_itself(history: History, services: Context) -> None:
    tasks = {task.name: task for task in worker.tasks(services)}
    assert (tasks["alerts"].seconds, tasks["alerts"].alone) == (600, True)
    assert "deliveries" not in tasks
    history.usual(30, date(2026, 11, 21))
    history.day(YESTERDAY, accepted=20)
    history.close()
    tasks["alerts"].run(services)
    assert len(history.raised()) == 1


@pytest.mark.on_both_databases
def test_a_burst_of_records_is_raised_once_an_hour(history: History, clock: Clock) -> None:
    history.usual(30, YESTERDAY)
    history.hour("2026-11-23T17", shown=520, accepted=499)
    assert history.watch() == []
    history.hour("2026-11-23T17", refused=1)
    assert history.watch() == ["burst 2026-11-23T17"]
    assert history.watch() == []
    (raised,) = [one for one in history.raised() if one.alert.kind == "burst"]
    assert raised.alert.text.startswith(
        "500 records in the hour from 2026-11-23 17:00, more than on the busiest day of the 28 days before (120)."
    )
    assert raised.to_json()["kind"] == "burst"
    clock.advance(hours=1)
    history.hour("2026-11-23T18", shown=900, accepted=900)
    assert history.watch() == ["burst 2026-11-23T18"]
    # A day like that is the busiest from now on.
    clock.advance(days=1)
    history.hour("2026-11-24T18", shown=1300, accepted=1300)
    assert "burst 2026-11-24T18" not in history.watch()


def test_a_new_site_has_nothing_to_judge_a_burst_by(history: History) -> None:
    history.usual(13, YESTERDAY)
    history.hour("2026-11-23T17", shown=5000, accepted=5000)
    assert not [one for one in history.watch() if one.startswith("burst")]


@pytest.mark.parametrize(
    ("records", "before", "raised"),
    [(500, [120] * 14, True), (499, [120] * 14, False), (500, [120] * 13, False), (900, [900] + [1] * 27, False),
     (901, [900] + [1] * 27, True), (10**9, [], False)],
)  # fmt: skip
def test_what_a_burst_is(records: int, before: list[int], raised: bool) -> None:
    assert (burst("2026-11-23T17", records, before) is not None) is raised
