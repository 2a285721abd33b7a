"""The guarantee, and whoever tries to break it.

Of a day that goes on, only totals are told, and any two answers of them, that of the day's end included, differ by
nothing or by ten first choices or more under each notice. All else is told of days that are over, where every number
holds a draw of noise of its own that stays the same for whoever asks, however, and as often as they like; a row is of
ten first choices or more. So no answer, and no difference of answers, tells what one visitor chose. In the database it
is the same, once a day is closed. Exact are the totals of the whole alone.

The attacker has a marketer's rights, knows every other visitor of the site, and asks before and after each one comes.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from math import exp
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from consent_server.core.context import Context
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.rows import RollUpRow, TallyRow
from consent_server.decisions.rules_tally import SHOWN, CounterName, Measure, counters_of
from consent_server.decisions.store_tallies import Cell
from consent_server.rates.close_days import close_days
from consent_server.rates.read import RatesReader
from consent_server.rates.read_experiment import read_experiment
from consent_server.rates.rules_closing import Noise
from consent_server.rates.rules_filters import By, Filters, Span
from consent_server.rates.rules_noise import EPSILON, VARIANCE, draw
from consent_server.rates.rules_report import Asked
from consent_server.rates.tell_today import tell_today
from consent_server.sites import store as sites
from consent_server.sites import store_notices as notices
from tests.support.experiment_files import BOX, hashes, with_experiment
from tests.support.factories import ANALYTICS, Clock, site_file
from tests.support.people import HTML, Person
from tests.support.rates_page import RATES, api, drawn, quiet, shared
from tests.support.sites import Apply

TODAY, YESTERDAY = date(2026, 11, 23), date(2026, 11, 22)
SPLITS = (By.LANGUAGE, By.DEVICE, By.COUNTRY, By.HOUR, By.NOTICE)
ACCEPTED = "first:accept_all:advertising,analytics:google-ads,google-analytics,meta-pixel"
REFUSED, SAVED = "first:refuse_all", "first:save::meta-pixel"
ASKED = Asked({"analytics": "", "advertising": ""}, {"google-ads": "", "google-analytics": "", "meta-pixel": ""})


class Crowd:
    """Visitors of the shop, each counted as a request counts them."""

    def __init__(self, services: Context) -> None:
        self.services = services
        with services.database.reading() as session:
            self.site = sites.get(session, "shop").id
            self._ids = {notice: row for row, notice in notices.hashes(session, self.site).items()}

    def come(self, notice: str, *outcomes: str, hour: str = "2026-11-23T12", **who: str) -> None:
        """One of each outcome, of this language, device and country."""
        place = {"language": "en", "device": "desktop", "country": "IE"} | who
        cells = Counter(Cell(self.site, self._ids[notice], hour, outcome=outcome, **place) for outcome in outcomes)
        with self.services.database.transaction() as session:
            tallies.add(session, cells)

    def work(self) -> None:
        """What the server does every few seconds."""
        fold_tallies(self.services.database)
        tell_today(self.services.database)

    def close(self, random: Callable[[int], bytes] | None = None) -> int:
        """What it does when a day is over."""
        self.work()
        return close_days(self.services.database, random or self.services.random, self.services.now())


def every_answer(services: Context, shown: list[str | None], days: list[Span]) -> dict[Any, Any]:
    """All that can be asked for."""
    with services[RatesReader].site("shop") as site:
        return {
            (by, span, notice): _without_today(site.rates(Filters(span, by, notice)).to_json())
            for by in By
            for span in days
            for notice in shown
        }


def _without_today(answer: dict[str, Any]) -> dict[str, Any]:
    # The clock tells when the last interval of an alert began; nothing else in an answer knows what time it is.
    return {name: part for name, part in answer.items() if name != "alerts"}


def totals(services: Context, notice: str | None = None, day: date = TODAY) -> Mapping[str, int]:
    with services[RatesReader].site("shop") as site:
        found: Mapping[str, int] = site.rates(Filters(Span(day, day), By.DAY, notice)).to_json()["totals"]
    return found


# While the day goes on


def test_who_asks_after_each_visitor_never_sees_a_step_of_fewer_than_ten(
    services: Context, notice: str, apply_site: Apply, clock: Clock
) -> None:
    shown = [notice, apply_site(site_file(vendors=ANALYTICS))]
    crowd, seen = Crowd(services), {of: [totals(services, of)] for of in (None, *shown)}
    for number in range(47):
        # One of nine sees the second notice.
        under = shown[number % 9 == 8]
        crowd.come(under, SHOWN.text, (REFUSED, ACCEPTED, SAVED)[number % 3], country="MT" if number == 30 else "IE")
        crowd.work()
        for of, answers in seen.items():
            answers.append(totals(services, of))
    clock.advance(hours=8)
    assert crowd.close() == 1
    seen[None].append(totals(services))
    for of, answers in seen.items():
        for before, after in pairwise(answers):
            # An answer that tells of no more first choices tells of nothing more.
            assert before == after or after["decisions"] - before["decisions"] >= 10, of
    assert seen[None][-1]["decisions"] == 47
    assert len({answer["decisions"] for answer in seen[None]}) > 3, "Nothing was told of the day while it went on."


def test_of_today_nothing_is_told_but_totals_in_whatever_form(
    services: Context, notice: str, marketer: Person, client: FlaskClient
) -> None:
    crowd = Crowd(services)
    link = shared(marketer)
    for _ in range(3):
        crowd.come(notice, *[SHOWN.text, ACCEPTED] * 12, SAVED, country="MT", device="tablet", language="fr")
        crowd.come(notice, "page_answered:::google-ads", "conversion_blocked:::meta-pixel")
        crowd.work()
    for by in SPLITS:
        said = api(marketer, f"?by={by}&from={TODAY}")
        assert said["totals"]["decisions"] == 26
        rows = [row for row in said["rows"] if by is not By.NOTICE or row["totals"] != said["totals"]]
        assert rows == []
        for kind in ("purposes", "vendors"):
            assert {share["granted"] for share in said[kind].values()} == {0}
        assert {share["conversions"]["blocked"] for share in said["vendors"].values()} == {0}
        assert said["page_loads"]["sampled"] == 0
    table = marketer.browser.get(f"/v1/sites/shop/rates.csv?from={TODAY}&by=country").text
    (whole, formula) = csv.DictReader(io.StringIO(table))
    assert (whole["totals.decisions"], whole["vendors.meta-pixel.granted"], formula["key"]) == ("26", "0", "formula")
    # A report that was shared shows the same as the page to whoever has its link.
    page, report = marketer.open(f"{RATES}?from={TODAY}").text, client.get(link, headers=HTML).text
    for found in (page, report):
        assert "Malta" not in found
        for part in ("country", "language", "device"):
            assert drawn(found).get(f"by-{part}", {"labels": []})["labels"] == []


# Once it is over


def a_day(crowd: Crowd, notice: str, *, last: str, day: date = YESTERDAY) -> None:
    """Of each language, device and country more than ten, the last of whom is the one that is attacked."""
    for hour in (9, 15):
        for who in ({"language": "fr", "country": "MT"}, {"device": "tablet"}):
            crowd.come(notice, *[SHOWN.text, REFUSED] * 12, hour=f"{day}T{hour:02d}", **who)
    crowd.come(notice, SHOWN.text, last, hour=f"{day}T15", language="fr", country="MT", device="desktop")


def told_events(row: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    yield from ((f"totals.{name}", events) for name, events in row["totals"].items())
    for kind in ("purposes", "vendors"):
        for key, share in row[kind].items():
            yield f"{kind}.{key}.granted", share["granted"]


def test_what_is_told_stays_the_same_however_it_is_asked(
    services: Context, notice: str, marketer: Person, clock: Clock
) -> None:
    crowd = Crowd(services)
    days = [YESTERDAY - timedelta(days=ago) for ago in range(3)]
    for day in days:
        a_day(crowd, notice, last=SAVED, day=day)
    assert crowd.close() == 3
    spans = [Span(first, last) for first in days for last in days if first <= last]
    before = every_answer(services, [None, notice], spans)
    crowd.work()
    assert crowd.close() == 0
    assert every_answer(services, [None, notice], spans) == before
    # A span less a shorter one is the day between as it is told by itself, and nothing finer.
    for by in (By.LANGUAGE, By.COUNTRY, By.DEVICE):
        parts = [dict(_rows(before[by, Span(day, day), None])) for day in days]
        for value, row in _rows(before[by, Span(days[-1], days[0]), None]):
            for name in ("shown", "decisions", "refuse_all"):
                assert row[name] == sum(part[value][name] for part in parts)
    query = f"?from={days[-1]}&to={days[0]}&by=country"
    said, table = api(marketer, query), marketer.browser.get(f"/v1/sites/shop/rates.csv{query}").text
    for line in csv.DictReader(io.StringIO(table)):
        for row in said["rows"]:
            if row["key"] == line["key"]:
                for name, events in told_events(row):
                    assert line[name] == str(events)
    clock.advance(days=40)
    assert every_answer(services, [None], spans[:1]).items() <= before.items()


def _rows(answer: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, int]]]:
    return ((row["key"], row["totals"]) for row in answer["rows"])


DOMAIN = [
    counter
    for text in (ACCEPTED, REFUSED, SAVED, SHOWN.text, "withdrawal", "gpc", "placeholder")
    for counter in counters_of(text)
]


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["en", "fr", "mt", "de"]), st.sampled_from([ACCEPTED, REFUSED, SAVED])),
        st.integers(1, 30),
    ),
    st.sampled_from(["en", "fr", "mt", "de"]),
)
def test_what_one_visitor_chose_changes_no_more_than_numbers_that_hold_noise(
    others: dict[tuple[str, str], int], language: str
) -> None:
    # Whatever the others did: the rows, and which counters stand in them, are the same whether one more visitor
    # accepted or refused; and each counter that the choice moves by one holds exactly one draw.
    def told(last: str) -> tuple[Mapping[Any, int], Counter[Any]]:
        cells: Counter[tuple[str, CounterName]] = Counter()
        for (value, outcome), number in [*others.items(), ((language, last), 1)]:
            for counter in counters_of(outcome):
                cells[value, counter] += number
        drawn: Counter[Any] = Counter()

        def count_draws() -> int:
            drawn["all"] += 1
            return 0

        return Noise(count_draws).split(cells, ASKED), drawn

    (after_one, draws), (after_other, same_draws) = told(ACCEPTED), told(REFUSED)
    assert draws == same_draws
    values = {value for value, _ in after_one}
    assert values == {value for value, _ in after_other}
    noisy = Noise(lambda: 1000)
    cells = {(language, counter): 20 for counter in DOMAIN}
    for place in {*after_one, *after_other}:
        assert abs(after_one.get(place, 0) - after_other.get(place, 0)) <= 1
    for (_, counter), events in noisy.split(cells, ASKED).items():
        assert events >= 1000 or counter.measure is Measure.DRAWS


def _always(number: bytes, _size: int) -> bytes:
    return number


def test_the_noise_is_what_is_said_of_it() -> None:
    # All first bytes, and the rest even: the share of each value is its probability to one in 65,536.
    numbers = (number.to_bytes(2) + b"\x80" * 6 for number in range(2**16))
    shares = Counter(draw(partial(_always, number)) for number in numbers)
    for value in range(8):
        ratio = shares[value + 1] / shares[value] * (1 if value else 0.5)
        assert ratio == pytest.approx(exp(-EPSILON), rel=0.01)
    assert sum(value * value * events for value, events in shares.items()) / 2**16 == pytest.approx(VARIANCE, rel=0.01)
    # Whatever the randomness says, a draw is finite, and both signs are alike.
    assert [draw(lambda size: b"\xff" * size), draw(lambda size: b"\x00" * size)] == [0, 87]
    assert draw(lambda size: b"\x00" * (size - 1) + b"\x01") == -87


@pytest.mark.on_both_databases
def test_the_database_of_a_closed_day_knows_no_more_than_is_told(services: Context, notice: str) -> None:
    crowd = Crowd(services)
    a_day(crowd, notice, last=SAVED)
    crowd.come(notice, "page_answered:::google-ads", hour=f"{YESTERDAY}T15")
    # One visitor alone in an hour, a language, a country and on a device.
    crowd.come(notice, SHOWN.text, ACCEPTED, hour=f"{YESTERDAY}T03", language="mt", country="LU", device="mobile")
    crowd.work()
    three = next(number for number in (bytes([byte] * 8) for byte in range(256)) if draw(partial(_always, number)) == 3)
    assert crowd.close(partial(_always, three)) == 1
    with services.database.reading() as session:
        assert session.scalars(select(TallyRow)).all() == []
        kept = session.scalars(select(RollUpRow)).all()
    assert {row.dimension for row in kept} == {
        "pulse", "days", "selections", "notices", "hours", "pages", "languages", "devices", "countries",
        "months", "selection months", "notice months", "language months", "device months", "country months",
    }  # fmt: skip
    assert {row.counter for row in kept if row.dimension == "pulse"} == {"shown", "decisions", "records"}
    assert not any(" " in row.counter for row in kept if row.dimension in ("days", "notices", "hours", "pulse"))
    assert {row.value for row in kept if row.dimension in ("languages", "countries", "devices")}.isdisjoint(
        {"mt", "LU", "mobile"}
    )
    assert "2026-11-22T03" not in {row.period for row in kept if row.dimension == "hours"}
    # Every counter of every part holds the draw, those that would stand at 0 as well.
    exact = {
        ("languages", "fr", "decisions"): 25, ("languages", "fr", "save"): 1, ("languages", "other", "save"): 0,
        ("countries", "MT", "refuse_all"): 24, ("countries", "MT", "vendor meta-pixel"): 1,
        ("devices", "desktop", "vendor google-ads"): 0, ("selections", "", "vendor meta-pixel"): 2,
        ("selections", "", "purpose analytics"): 1, ("pages", "", "page_vendor google-ads"): 1,
        ("pages", "", "page_stand_in meta-pixel"): 0,
    }  # fmt: skip
    found = {(row.dimension, row.value, row.counter): row.count for row in kept}
    assert {place: found.get(place) for place in exact} == {place: events + 3 for place, events in exact.items()}
    noisy = ("languages", "devices", "countries", "hours", "selections")
    assert min(row.count for row in kept if row.dimension in noisy and not row.counter.startswith("draws")) == 3
    assert {row.count for row in kept if row.dimension == "days" and row.counter == "decisions"} == {50}


def test_two_that_close_a_day_draw_once(services: Context, notice: str) -> None:
    crowd = Crowd(services)
    a_day(crowd, notice, last=SAVED)
    assert (crowd.close(), crowd.close()) == (1, 0)
    with services.database.reading() as session:
        draws = select(RollUpRow.count).where(RollUpRow.counter.like("draws%"))
        assert {*session.scalars(draws)} == {1}


# Notices and arms


def test_of_a_notice_among_several_the_totals_hold_noise_and_those_of_the_whole_do_not(
    services: Context, notice: str, apply_site: Apply
) -> None:
    other = apply_site(site_file(vendors=ANALYTICS))
    crowd = Crowd(services)
    for number in range(3):
        day = YESTERDAY - timedelta(days=number)
        crowd.come(notice, *[SHOWN.text, REFUSED] * 40, hour=f"{day}T12")
        crowd.come(other, SHOWN.text, "first:accept_all:analytics:google-analytics", hour=f"{day}T12")
    crowd.close()
    few, many, whole = (
        [totals(services, of, YESTERDAY - timedelta(days=number)) for number in range(3)]
        for of in (other, notice, None)
    )
    assert [one["accept_all"] for one in whole] == [1, 1, 1]
    names = ("shown", "decisions", "accept_all", "refuse_all", "granted")
    alone = [[one[name] for name in names] for one in few]
    assert alone != [[1, 1, 1, 0, 1]] * 3
    # Nor does the whole less the other notice tell it.
    less = [[all_[name] - of[name] for name in names] for all_, of in zip(whole, many, strict=True)]
    assert less != [[1, 1, 1, 0, 1]] * 3


def test_an_experiment_tells_of_ten_first_choices_more_of_each_arm(
    services: Context, apply_site: Apply, clock: Clock
) -> None:
    apply_site(with_experiment(BOX.replace("30", "3")))
    arms, crowd = hashes(services), Crowd(services)
    clock.advance(days=2)
    seen: list[dict[str, int]] = []
    for number in range(26):
        today = clock().date().isoformat()
        crowd.come(arms["control"], *[SHOWN.text, REFUSED] * 40, hour=f"{today}T12")
        # A day in three nobody, else one.
        crowd.come(arms["box"], SHOWN.text, *([SAVED] if number % 3 else []), hour=f"{today}T12")
        clock.advance(days=1)
        crowd.close()
        found = read_experiment(services[RatesReader], "shop")
        seen.append({arm.name: arm.figures.totals.decisions for arm in found.arms})
    for before, after in pairwise(seen):
        assert before == after or all(after[arm] - before[arm] >= 10 for arm in after)
    assert seen[-1]["box"] >= 10


# What a broken database or a marketer's mistake may not do


def test_figures_of_noise_alone_are_numbers(services: Context, notice: str, marketer: Person) -> None:
    def low(size: int) -> bytes:
        return b"\x00" * (size - 1) + b"\x01"

    def high(size: int) -> bytes:
        return b"\x00" * size

    for random in (low, high, quiet):
        crowd = Crowd(services)
        a_day(crowd, notice, last=SAVED)
        assert crowd.close(random) == 1
        for by in By:
            for row in api(marketer, f"?by={by}&from={YESTERDAY}&compare_from=2026-11-01")["rows"]:
                rates = [rate for rate in row["rates"].values() if rate["value"] is not None]
                assert all(0 <= rate["low"] <= rate["value"] <= rate["high"] for rate in rates)
                assert all(events is None or events >= 0 for events in row["totals"].values())
        assert marketer.open(f"{RATES}?from={YESTERDAY}").status_code == 200
