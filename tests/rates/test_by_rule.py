"""Rates by rule of the place: what runs before a choice is in no rate of consent, and an objection is no denial."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from consent_server.core.context import Context
from tests.support.people import Person
from tests.support.rates_page import RATES, api, end_days, text_of
from tests.support.regions import WORLD, shown_in
from tests.support.sites import Apply
from tests.support.visitor import post

HEAD = "By rule of the place"


def view(client: FlaskClient, region: str, times: int) -> None:
    for _ in range(times):
        assert post(client, {"notice": shown_in(region).hash, "language": "en"}, path="shown").status_code == 204


def answer(client: FlaskClient, region: str, times: int, **said: Any) -> None:
    for _ in range(times):
        body = {
            "decision_id": str(uuid4()),
            "notice": shown_in(region).hash,
            "language": "en",
            "method": "banner",
            **said,
        }
        assert post(client, body).status_code == 201


@pytest.fixture
def visited(client: FlaskClient, apply_site: Apply, services: Context) -> None:
    """Visitors of places where they are asked, asked beside statistics by objection, told, and not asked at all."""
    apply_site(WORLD)
    everything = {"analytics": True, "advertising": True}
    view(client, "europe", 6)
    answer(client, "europe", 4, action="accept_all", grants=everything)
    view(client, "britain", 8)
    answer(client, "britain", 2, action="refuse_all", grants={})
    view(client, "utah", 5)
    answer(client, "utah", 1, action="save", grants={"analytics": True})
    answer(client, "america", 3, action="refuse_all", grants={})
    end_days(services)


@pytest.mark.usefixtures("visited")
def test_each_rule_has_figures_of_its_own(marketer: Person) -> None:
    rows = {row["key"]: row for row in api(marketer, "?by=rule")["rows"]}
    assert rows.keys() == {"opt-in", "notice", "opt-out"}
    asked, told, unasked = (rows[rule] for rule in ("opt-in", "notice", "opt-out"))
    assert (asked["totals"]["shown"], asked["totals"]["decisions"], asked["totals"]["objections"]) == (14, 6, 0)
    assert asked["rates"]["consent"]["value"] == pytest.approx(4 / 6)
    # Two of eight who were told in Britain objected to statistics; advertising was asked for there.
    assert asked["objections"]["analytics"]["objected"] == 2
    assert asked["objections"]["analytics"]["not_objected"] == 6
    assert (told["totals"]["told"], told["totals"]["objections"], told["totals"]["decisions"]) == (5, 1, 0)
    assert told["rates"]["consent"]["value"] is None
    assert told["objections"]["advertising"] | {"rate": None} == {"objected": 1, "not_objected": 4, "rate": None}
    # A link alone tells there: nobody counts who reads it.
    assert unasked["objections"]["analytics"]["objected"] == 3
    assert unasked["objections"]["analytics"]["not_objected"] is None


@pytest.mark.usefixtures("visited")
def test_the_page_has_a_table_of_rules_and_one_of_objections(marketer: Person) -> None:
    words = text_of(marketer.open(RATES).text).partition(HEAD)[2]
    assert "Asked first opt-in 14 6 66.7 %" in words
    assert "On, and told notice – – – – 5 1" in words
    assert "On until opted out opt-out – – – – – 3" in words
    objections = words.partition("Purposes that run until somebody objects")[2]
    # Of four who objected one had been told, of five.
    assert "Advertising 4 4 20.0 %" in objections
    assert "granted" not in objections.partition("no consent")[0].lower()


@pytest.mark.usefixtures("counted")
def test_a_site_that_asks_everywhere_has_neither(marketer: Person) -> None:
    assert HEAD not in marketer.open(RATES).text
