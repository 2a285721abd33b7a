"""Shared reports, taken back one by one."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.access.credentials import ReportLinks
from consent_server.core.context import Context
from tests.support.factories import START, Clock
from tests.support.people import Person
from tests.support.rates_page import RATES


def share(marketer: Person, days: str = "30") -> str:
    page = marketer.send(f"{RATES}/link", {"days": "latest", "lifetime": days}, at="/console").text
    found = re.search(r'readonly value="https://consent\.example(/reports/[^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.on_both_databases
def test_one_link_is_taken_back_and_the_others_stay(
    app: Flask, marketer: Person, client: FlaskClient, clock: Clock
) -> None:
    runner = app.test_cli_runner()
    first, second, short = share(marketer), share(marketer), share(marketer, "7")
    listed = runner.invoke(args=["report", "list"]).stdout.splitlines()
    assert listed[0] == "1\tshop\tmax@example.org\t2026-11-23\t2026-12-23"
    assert [line.partition("\t")[0] for line in listed] == ["1", "2", "3"]
    assert runner.invoke(args=["report", "revoke", "1"]).stdout == "1 revoked\n"
    assert [client.get(path).status_code for path in (first, second, short)] == [410, 200, 200]
    assert client.get(first).get_json()["type"] == "/problems/expired-report"
    assert runner.invoke(args=["report", "revoke", "1"]).exit_code == 0
    clock.advance(days=8)
    assert [client.get(path).status_code for path in (first, second, short)] == [410, 200, 410]
    assert [line[0] for line in runner.invoke(args=["report", "list"]).stdout.splitlines()] == ["2"]
    unknown = runner.invoke(args=["report", "revoke", "9"])
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "consent report list" in unknown.stderr


def test_a_link_of_before_ends_by_its_time_alone(client: FlaskClient, services: Context, notice: str) -> None:
    subject = {"site": "shop", "by": "day", "notice": None, "days": 28}
    of_before = services[ReportLinks].sign(subject, START.replace(year=2027))
    assert client.get(f"/reports/{of_before}").status_code == 200
    # A number that no report has, of a database that was set back.
    unknown = services[ReportLinks].sign({**subject, "number": 7}, START.replace(year=2027))
    assert client.get(f"/reports/{unknown}").status_code == 410


@pytest.mark.on_both_databases
def test_a_marketer_takes_back_the_links_of_their_own_site(app: Flask, marketer: Person, client: FlaskClient) -> None:
    first, second = share(marketer), share(marketer)
    page = marketer.open("/console/sites/shop/reports").text
    numbers = re.findall(r"/console/sites/shop/reports/(\d+)/revocation", page)
    assert len(numbers) == 2
    rival = Person(app, "mona")
    rival.accept(rival.invited("--role", "marketer", "--site", "rival"))
    path = "/console/sites/rival/reports"
    assert rival.send(f"{path}/{numbers[0]}/revocation", {}, at=path).status_code == 404
    assert client.get(second).status_code == 200
    path = "/console/sites/shop/reports"
    assert marketer.send(f"{path}/{numbers[0]}/revocation", {}, at=path).location == path
    assert [client.get(link).status_code for link in (first, second)] == [200, 410]
    assert marketer.send(f"{path}/x/revocation", {}, at=path).status_code == 404
