"""An experiment on the dashboard's axis, and the definitions beside its own numbers."""

from flask import Flask

from consent_server.core.context import Context
from tests.support.cast import token
from tests.support.experiment_files import BOX, with_experiment
from tests.support.factories import Clock, site_file
from tests.support.people import OPENED, Person
from tests.support.rates_page import a_day, count, drawn, text_of, undefined
from tests.support.sites import Apply


def test_the_axis_shows_where_it_begins_and_ends(
    app: Flask, services: Context, notice: str, apply_site: Apply, clock: Clock
) -> None:
    count(services, notice, "2026-11-23", a_day(90, 40, 20))
    apply_site(with_experiment(BOX))
    clock.advance(days=12)
    apply_site(site_file())
    headers, browser = token(app, "marketer", "shop") | OPENED, app.test_client()
    query = "?from=2026-11-20&to=2026-12-10&by="
    for by, places in (("day", (3, 3, 15)), ("week", (1, 1, 2)), ("hour", (3 * 24 + 17, 3 * 24 + 17, 15 * 24 + 17))):
        page = browser.get(f"/console/sites/shop/rates{query}{by}", headers=headers).text
        assert [(one["at"], one["letter"]) for one in drawn(page)["series"]["marks"]] == list(
            zip(places, "ABC", strict=True)
        )
        words = text_of(page)
        for mark in ("B 23 Nov 2026", "C 5 Dec 2026"):
            assert mark in words
        assert "experiment look begins" in words
        assert "experiment look ends" in words
    said = browser.get(f"/v1/sites/shop/rates{query}day", headers=headers).get_json()
    assert said["experiments"] == [{"key": "look", "began": "2026-11-23T17", "ended": "2026-12-05T17"}]
    early = browser.get("/v1/sites/shop/rates?to=2026-11-22", headers=headers).get_json()
    assert early["experiments"] == []


def test_beside_each_number_stands_its_definition(apply_site: Apply, marketer: Person) -> None:
    apply_site(with_experiment(BOX))
    page = marketer.open("/console/sites/shop/experiment").text
    assert page.count("<table>") == 3
    assert undefined(page) == ["Rate"]  # a name, no number
