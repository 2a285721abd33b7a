"""Several sites side by side: each with the numbers of its own page, and none that its reader may not see."""

from datetime import timedelta

import pytest

from consent_server.core.context import Context
from consent_server.rates import read_sites
from consent_server.rates.words import percent, points
from tests.support.factories import Clock
from tests.support.people import Person
from tests.support.rates_page import a_day, count_days, text_of

SITES = "/console/rates"


def test_a_site_has_here_what_its_own_page_says(
    people: dict[str, Person], services: Context, notice: str, clock: Clock
) -> None:
    days = {(clock().date() - timedelta(days=ago)).isoformat(): ago for ago in range(1, 56)}
    count_days(services, notice, days, lambda day: a_day(200, 60, 80) if days[day] < 28 else a_day(200, 90, 50))
    own = people["olga"].browser.get("/v1/sites/shop/rates?compare_from=2026-09-29&compare_to=2026-10-26").get_json()
    words = text_of(people["olga"].open(SITES).text)
    assert "Nothing was counted in these days." in words  # of the rival
    for name in ("consent", "opt_in", "no_choice"):
        assert text_of(percent(own["rates"][name]["value"])) in words
    assert f"▼ {points(own['compared']['differences']['rates']['consent']['value'])} points" in words


def test_it_shows_no_site_that_its_reader_may_not_see(people: dict[str, Person]) -> None:
    olga, max_ = (people[name].open(SITES).text for name in ("olga", "max"))
    assert "/console/sites/rival/rates" in olga
    assert "rival" not in max_
    assert "Example Shop" in max_


def test_many_sites_are_on_pages(people: dict[str, Person], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_sites, "PAGE", 1)
    first, second = (people["olga"].open(f"{SITES}?page={number}").text for number in (1, 2))
    assert 'rel="next"' in first
    assert 'rel="next"' not in second
    listed = ['<a href="/console/sites/rival/rates"><bdi>' in page for page in (first, second)]
    assert listed == [True, False]
    assert people["olga"].open(f"{SITES}?page=0").status_code == 400
