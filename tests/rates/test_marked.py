"""Rates say which records are marked as not genuine: their counts cannot leave them out."""

from datetime import timedelta

from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.ledger.mark_records import mark_records
from consent_server.ledger.remark import Remarker
from tests.support.factories import PUBLIC_URL, START, Body, Clock
from tests.support.people import Person
from tests.support.rates_page import RATES, api, end_days, text_of
from tests.support.visitor import post


def test_the_page_and_the_data_say_what_is_not_genuine(
    marketer: Person, client: FlaskClient, services: Context, body: Body, clock: Clock
) -> None:
    for _ in range(3):
        post(client, body())
    end_days(services)
    assert api(marketer)["marked"] == []
    assert "Not all of this is genuine" not in text_of(marketer.open(RATES).text)
    remarker = Remarker(services.keys.ring, PUBLIC_URL, services.random)
    why, end = "A <load> test", START + timedelta(hours=1)
    mark_records(services.database, remarker, clock, "shop", START, end, why)
    (marked,) = api(marketer)["marked"]
    assert marked == {
        "leaf_index": 3, "records": 3, "at": "2026-11-23T17:00:00.000Z",
        "reason": f"Recorded from 2026-11-23T17:00:00.250Z to 2026-11-23T18:00:00.250Z: {why}",
    }  # fmt: skip
    page = marketer.open(RATES).text
    assert "Not all of this is genuine" in page
    assert "A &lt;load&gt; test" in page
    # What was counted stays as it was.
    assert api(marketer)["totals"]["decisions"] == 3
