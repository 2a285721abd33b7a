"""An answer about rates is of one moment, and reads no body of a notice twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from consent_server.core.context import Context
from consent_server.decisions.rules_tally import SHOWN
from consent_server.rates import store_alerts as alerts
from consent_server.rates.read_notices import NoticeReader
from consent_server.rates.rules_alerts import Alert, AlertKind
from consent_server.sites import store as sites
from consent_server.sites import store_notices as notices
from tests.support.factories import ADS, ANALYTICS, META, TOP, Clock, site_file
from tests.support.people import Person
from tests.support.rates_page import RATES, count
from tests.support.sites import Apply

DAY = "2026-11-23"
SILENCE = Alert(AlertKind.NEVER_ANSWERED, "", DAY, {"shown": 9, "since": DAY})


@contextmanager
def statements(services: Context) -> Iterator[list[tuple[str, Any]]]:
    """The SQL that goes to the database meanwhile, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(services.database.engine, "after_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(services.database.engine, "after_cursor_execute", note)


def without_frame(page: str) -> str:
    return page.rpartition('id="content">')[2]


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    "path",
    [
        "/v1/sites/shop/rates?compare_from=2026-09-01", "/v1/sites/shop/rates?by=country",
        "/v1/sites/shop/rates.csv?by=week&compare_from=2026-09-01", RATES, f"{RATES}?by=hour&from={DAY}",
    ],
)  # fmt: skip
def test_what_is_written_meanwhile_is_in_no_part_of_an_answer(
    services: Context, notice: str, marketer: Person, clock: Clock, path: str
) -> None:
    before, database = marketer.open(path), services.database
    assert before.status_code == 200
    written = False

    def write(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal written
        if written or "publications.published_at" not in statement:
            return
        written = True
        count(services, notice, DAY, {SHOWN: 1000}, country="FR")
        with database.transaction() as session:
            site = sites.get(session, "shop")
            stored = notices.of_site(session, site.id, notice)
            assert stored
            notices.publish(session, site.id, stored.id, clock(), "again")
            alerts.raise_once(session, site.id, SILENCE, clock(), [])

    event.listen(database.engine, "after_cursor_execute", write)
    during = marketer.open(path)
    event.remove(database.engine, "after_cursor_execute", write)
    assert written
    # The frame round the page is none of the answer: it says what waits now.
    assert without_frame(during.text) == without_frame(before.text)
    assert marketer.open(path).text != before.text


VENDORS = (ANALYTICS, ADS, META, f"{ANALYTICS}{META}")


@pytest.mark.usefixtures("counted")
def test_a_body_of_a_notice_is_read_once(
    services: Context, apply_site: Apply, marketer: Person, olga: Person, notice: str
) -> None:
    def bodies_read(*paths: str) -> int:
        with statements(services) as seen:
            for path in paths:
                assert (olga if path == "/metrics" else marketer).browser.get(path).status_code == 200
        return sum("notices.body" in statement for statement, _ in seen)

    every = (RATES, "/v1/sites/shop/rates", "/v1/sites/shop/rates.csv?by=notice", "/metrics")
    for vendors in VENDORS:
        apply_site(site_file(vendors=vendors))
    assert bodies_read("/metrics") == 0
    assert bodies_read(*every) == 1
    assert bodies_read(*every) == 0
    newest = apply_site(site_file(TOP.replace("Example Shop", "Another Shop")))
    count(services, newest, DAY, {SHOWN: 20})
    assert bodies_read(*every) == 1
    assert bodies_read(*every) == 0


def test_few_are_kept_and_every_answer_has_all(services: Context, apply_site: Apply, notice: str) -> None:
    reader = NoticeReader(most=2)
    hashes = [notice, *(apply_site(site_file(vendors=vendors)) for vendors in VENDORS)]
    for _ in range(2):
        with services.database.snapshot() as session, statements(services) as seen:
            site_id = sites.get(session, "shop").id
            asked = reader.asked(session, site_id, notices.hashes(session, site_id))
        assert list(asked) == hashes
        assert asked[hashes[1]].vendors == {"google-analytics": "Google Analytics"}
        assert asked[hashes[2]].purposes == {"advertising": "Advertising"}
        assert sum("notices.body" in statement for statement, _ in seen) == 1
