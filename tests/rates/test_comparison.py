"""Any two periods beside each other: on the page, in its address, in the data and in a shared report."""

import csv
import re
from datetime import timedelta
from html import unescape
from io import StringIO
from math import hypot

import pytest
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.rates.rules import RATES as DEFINED
from consent_server.rates.words import percent, points
from tests.support.factories import Clock
from tests.support.people import HTML, Person
from tests.support.rates_page import RATES, a_day, api, count_days, shared, text_of


@pytest.mark.usefixtures("counted")
def test_any_two_periods_are_compared(marketer: Person, client: FlaskClient) -> None:
    query = "?from=2026-11-10&to=2026-11-16&by=day&compare_from=2026-10-05&compare_to=2026-10-25"
    page = marketer.open(RATES + query).text
    words, said = text_of(page), api(marketer, query)
    other = api(marketer, "?from=2026-10-05&to=2026-10-25")
    compared = said["compared"]
    assert (compared["from"], compared["to"]) == ("2026-10-05", "2026-10-25")
    assert compared["totals"] == other["totals"]
    assert compared["rates"] == other["rates"]
    assert "10 Nov 2026 to 16 Nov 2026 against 5 Oct 2026 to 25 Oct 2026" in words
    for name in DEFINED:
        now, then, differs = (of["rates"][name] for of in (said, compared, compared["differences"]))
        assert differs["value"] == now["value"] - then["value"]
        down = hypot(now["value"] - now["low"], then["high"] - then["value"])
        up = hypot(now["high"] - now["value"], then["value"] - then["low"])
        # By chance alone it would be so wide; with the ups and downs of eight weeks it is wider.
        assert differs["days"] == (0 if name == "withdrawal" else 49)
        assert differs["low"] <= differs["value"] - down + 1e-12
        assert differs["high"] >= differs["value"] + up - 1e-12
        told = f"{points(differs['value'])} points {points(differs['low'])} to {points(differs['high'])}"
        assert told in words
        assert text_of(percent(then["value"])) in words
    for name, kind in (("analytics", "purposes"), ("google-ads", "vendors")):
        for rate in ("rate", "reach"):
            differs = compared["differences"][kind][name][rate]
            assert differs["value"] == said[kind][name][rate]["value"] - compared[kind][name][rate]["value"]
            assert f"{points(differs['value'])} points" in words
    # The address keeps it: fields, quick links, links to the data, a shared report.
    for name, day in (("compare_from", "2026-10-05"), ("compare_to", "2026-10-25")):
        assert f'name="{name}" value="{day}"' in page
        links = [unescape(link) for link in re.findall(r'href="([^"]*from=2026[^"]+)"', page)]
        assert [link for link in links if f"{name}={day}" not in link] == [
            link
            for link in links
            if "from=2026-08-26" in link  # 90 days have these among them
        ]
    report = client.get(shared(marketer, **dict(part.split("=") for part in query[1:].split("&"))), headers=HTML).text
    section = r'<section aria-labelledby="compared-title">.*?</section>'
    assert re.findall(section, report, re.DOTALL) == re.findall(section, page, re.DOTALL)


@pytest.mark.usefixtures("counted")
def test_one_end_means_as_many_days_and_none_those_before(marketer: Person) -> None:
    days = "?from=2026-11-10&to=2026-11-16"
    for query, first, last in (
        ("&compare_from=2026-10-05", "5 Oct 2026", "11 Oct 2026"),
        ("&compare_to=2026-10-11", "5 Oct 2026", "11 Oct 2026"),
        ("", "the 7 days before, 3 Nov 2026", "9 Nov 2026"),
    ):
        assert f"10 Nov 2026 to 16 Nov 2026 against {first} to {last}" in text_of(
            marketer.open(RATES + days + query).text
        )
    assert api(marketer, days)["compared"] is None


@pytest.mark.usefixtures("counted")
def test_what_is_on_screen_is_in_the_table(marketer: Person) -> None:
    page = marketer.open(f"{RATES}?from=2026-11-10&to=2026-11-16").text
    link = next(link for link in re.findall(r'href="(/v1/sites/shop/rates.csv[^"]+)"', page))
    whole, compared, differs, *days, formula = csv.DictReader(StringIO(marketer.browser.get(unescape(link)).text))
    assert [whole["key"], compared["key"], differs["key"], formula["key"]] == [
        "all", "compared", "difference", "formula",
    ]  # fmt: skip
    assert (whole["from"], compared["from"], compared["to"]) == ("2026-11-10", "2026-11-03", "2026-11-09")
    assert len(days) == 7
    for rate in ("rates.consent", "purposes.analytics.rate", "vendors.google-ads.reach"):
        values = [float(row[f"{rate}.value"]) for row in (whole, compared, differs)]
        assert values[2] == pytest.approx(values[0] - values[1])
        assert float(differs[f"{rate}.low"]) < values[2] < float(differs[f"{rate}.high"])


@pytest.mark.usefixtures("counted")
def test_a_report_of_the_latest_days_never_compares_a_day_with_itself(
    marketer: Person, client: FlaskClient, clock: Clock
) -> None:
    # From here on the days to come, which the latest days will reach.
    fields = {"days": "latest", "from": "2026-11-10", "to": "2026-11-16", "compare_from": "2026-11-24"}
    path = shared(marketer, **fields)
    assert "against 24 Nov 2026 to 30 Nov 2026" in text_of(client.get(path, headers=HTML).text)
    clock.advance(days=1)
    assert "against the 7 days before, 11 Nov 2026 to 17 Nov 2026" in text_of(client.get(path, headers=HTML).text)


@pytest.mark.usefixtures("counted")
def test_what_is_within_the_ups_and_downs_is_said_so(
    marketer: Person, services: Context, notice: str, clock: Clock
) -> None:
    # 60 and 50 % in turns, week after week: one week lies far above the other by chance, and not by its own ways.
    last = clock().date() - timedelta(days=1)
    days = [(last - timedelta(days=ago)).isoformat() for ago in range(56)]
    weeks = {day: number // 7 for number, day in enumerate(days)}
    count_days(services, notice, days, lambda day: a_day(20_000, 6000 - 1000 * (weeks[day] % 2), 4000))
    query = f"?from={days[6]}&to={days[0]}&compare_from={days[13]}&compare_to={days[7]}"
    change = api(marketer, query)["compared"]["differences"]["rates"]["opt_in"]
    assert change["days"] == 56
    words = text_of(marketer.open(RATES + query).text)
    assert "within its usual ups and downs" in words
