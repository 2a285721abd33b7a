"""Rates and the marketers' page over one year of roll-ups, on both databases; and what counting adds to a decision.

Usage: python -m bench.rates [--decisions 10000000] [--rounds 9] [--sqlite-only]
Two weeks of cells under each of two notices, as visitors would have left them in the inbox, are folded and their days
are closed by the server's own code; these days, with their noise, are then repeated over two years, so that the year
that is measured has one before it to compare with. Some visitors choose among all vendors one by one, so that nearly
each of them chooses differently, and page loads are sampled. The same is done with a tenth of the decisions: what is
read must not grow with them. Ends with 1 where a goal is missed.
"""

import argparse
import gc
import os
import random
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import monotonic_ns, perf_counter, process_time
from typing import Any
from unittest.mock import patch
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
from sqlalchemy import Connection, func, literal, select, text

from bench.records import Ledger, make_ledger
from consent_server.app import create_app
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.record import RecordDecision
from consent_server.decisions.rows import RollUpRow
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_tally import PREFETCH, ROBOT, SHOWN, Kind, Outcome, of_conversion, of_page_load
from consent_server.decisions.rules_visit import Visit
from consent_server.decisions.store_tallies import Cell
from consent_server.rates.close_days import close_days
from consent_server.rates.read import RatesReader, SiteRates
from consent_server.rates.rules_filters import By, Filters, Span
from consent_server.sites import store_notices as notices
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.publish import publish_notice
from consent_server.sites.rules_notice import Notice
from consent_server.sites.site_file import read_site_file
from tests.support.cast import token
from tests.support.factories import answer, site_file
from tests.support.people import CAST, Person
from tests.support.postgresql import PostgreSQL
from tests.support.vendors import EVERY_VENDOR

DAYS, YEARS, MADE = 365, 2, 14
LAST = date(2026, 11, 23)
LANGUAGES = {"en": 40, "fr": 30, "es": 20, "it": 10}
DEVICES = {"desktop": 50, "mobile": 45, "tablet": 5}
COUNTRIES = {f"{chr(65 + number)}{chr(90 - number % 26)}": 100 // (number + 1) + 1 for number in range(26)}
COUNTRIES |= {"": 5, "BE": 5, "CH": 4, "NL": 3}
# Of a hundred decisions; the views, robots and conversions come on top.
ACCEPTED, ACCEPTED_WITH_SIGNAL, REFUSED, SAVED, CHOSEN_APART, CHANGED, WITHDRAWN, SIGNALLED = 45, 1, 34, 11, 2, 2, 3, 2
BESIDE = {
    SHOWN: 160, ROBOT: 6, PREFETCH: 2, of_conversion("google-ads", sent=True): 3,
    of_conversion("google-ads", sent=False): 2,
}  # fmt: skip
VENDORS_OF = (EVERY_VENDOR.replace('[[vendors]]\nkey = "google-maps"\n', ""), EVERY_VENDOR)
# Of an hour, so many kinds of visitors: country, language and device.
KINDS = 8
# For the page of a year, by processor: other work on the machine delays the clock.
GOAL, PAGE = 300, "/console/sites/shop/rates, a year"
# Ten times the decisions fill some more cells, and no more than this.
MOST_GROWTH = 1.5


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--sqlite-only", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
        missed = _measure("SQLite", make_ledger(Path(folder), pool=20), options.decisions, options.rounds)
    if not options.sqlite_only:
        server = PostgreSQL()
        try:
            server.execute("CREATE DATABASE bench")
            with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
                ledger = make_ledger(Path(folder), server.url("bench"), pool=20)
                missed += _measure("PostgreSQL", ledger, options.decisions, options.rounds)
        finally:
            server.remove()
    sys.exit("\n".join(["Missed:", *missed]) if missed else 0)


def _measure(name: str, ledger: Ledger, decisions: int, rounds: int) -> list[str]:
    """The goals that were missed."""
    shown = [_publish(ledger, vendors) for vendors in VENDORS_OF]
    sizes = (decisions // 10, decisions)
    made, rows, times = {}, {}, {}
    for size in sizes:
        made[size], rows[size] = roll_up(ledger, shown, size)
        times[size] = _times(ledger, rounds)
    few, many = sizes
    said = [f"{size:,} decisions, {made[size]:,} choices, {rows[size]:,} rows: ms | processor" for size in (many, few)]
    print(f"\n| {name} | {' | '.join(said)} |")
    print("|---|---:|---:|---:|---:|")
    for what, (ms, processor) in times[many].items():
        before = " | ".join(f"{value:.0f}" for value in times[few][what])
        print(f"| {what} | {ms:.0f} | {processor:.0f} | {before} |", flush=True)
    _print_cost(name, ledger)
    ledger.services.database.engine.dispose()
    slow = [f"{name}, {what}: {ms:.0f} ms" for what, (_, ms) in times[many].items() if ms > GOAL and PAGE in what]
    growth = sum(processor for _, processor in times[many].values()) / sum(of for _, of in times[few].values())
    return slow + ([f"{name}: {growth:.2f} times as slow with ten times the decisions"] if growth > MOST_GROWTH else [])


# A year of cells


def _publish(ledger: Ledger, vendors: str) -> tuple[int, Notice]:
    services = ledger.services
    declared = read_site_file(site_file(vendors=vendors))
    published = publish_notice(services.database, declared, services.settings.public_url, services.now())
    with services.database.reading() as session:
        found = notices.of_site(session, ledger.site_id, published.notice)
        assert found
        return found.id, found.notice


def roll_up(ledger: Ledger, shown: list[tuple[int, Notice]], decisions: int) -> tuple[int, int]:
    """Fill the roll-ups; return in how many ways visitors chose among vendors, and how many rows there are."""
    dice = random.Random(5)
    database = ledger.services.database
    with database.engine.begin() as connection:
        connection.execute(RollUpRow.__table__.delete())
        connection.execute(tallies.TALLIES.delete())
    apart: set[str] = set()
    for back in reversed(range(MADE * len(shown))):
        notice_id, notice = shown[-1 - back // MADE]
        period = (LAST - timedelta(days=back + 1)).isoformat()
        cells = _cells(ledger.site_id, notice_id, notice, period, decisions / DAYS, dice)
        apart |= {cell.outcome for cell in cells if cell.outcome.startswith("first:save:")}
        with database.transaction() as session:
            tallies.add_up(session, tallies.rolled_up(cells.items()))
    close_days(database, os.urandom, datetime.combine(LAST, time(18), UTC))
    with database.engine.begin() as connection:
        _repeat(connection, shown)
    if not database.embedded:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM FULL ANALYZE roll_ups"))
    with database.reading() as session:
        year = RollUpRow.period >= (LAST - timedelta(days=DAYS)).isoformat()
        of_days = (RollUpRow.dimension == "days", RollUpRow.counter.in_(("decisions", "changes", "withdrawals", "gpc")))
        made = session.scalar(select(func.sum(RollUpRow.count)).where(*of_days, year)) or 0
        assert abs(int(made) - decisions) < decisions / 100, made
        return len(apart), session.scalar(select(func.count()).select_from(RollUpRow)) or 0


def _repeat(connection: Connection, shown: list[tuple[int, Notice]]) -> None:
    """The days of the last notice over the last half of a year, those of the other over all days before."""
    table = tallies.ROLL_UPS
    (old, _), (new, _) = shown
    fortnights = {new: range(1, DAYS // 2 // MADE), old: range(DAYS // 2 // MADE, DAYS * YEARS // MADE)}
    made = connection.execute(select(table).where(table.c.dimension.not_in(tallies.MONTHS.values()))).mappings().all()
    connection.execute(table.delete().where(table.c.dimension.in_(tallies.MONTHS.values())))
    connection.execute(table.delete().where(table.c.notice_id == old))
    for notice_id, repeats in fortnights.items():
        of_notice = [dict(row) for row in made if row["notice_id"] == notice_id]
        for fortnight in repeats:
            # Those of the old notice were made a fortnight earlier.
            back = timedelta(days=MADE * (fortnight - (notice_id == old)))
            connection.execute(table.insert(), [row | {"period": _earlier(row["period"], back)} for row in of_notice])
    for days, months in tallies.MONTHS.items():
        month, place = func.substr(table.c.period, 1, 7), (table.c.value, table.c.notice_id, table.c.counter)
        summed = select(table.c.site_id, literal(months), month, *place, func.sum(table.c["count"]))
        of_days = summed.where(table.c.dimension == days).group_by(table.c.site_id, month, *place)
        connection.execute(table.insert().from_select([*tallies.ROLL_UP_KEY, "count"], of_days))


def _earlier(period: str, back: timedelta) -> str:
    return (date.fromisoformat(period[:10]) - back).isoformat() + period[10:]


def _cells(
    site_id: int, notice_id: int, notice: Notice, period: str, decisions: float, dice: random.Random
) -> Counter[Cell]:
    cells: Counter[Cell] = Counter()
    usual = _usual(notice)
    hours = {f"{period}T{hour:02d}": 1 + 3 * (8 <= hour <= 21) for hour in range(24)}
    for hour, weight in hours.items():
        for _ in range(KINDS):
            kind = [dice.choices(list(of), list(of.values()))[0] for of in (LANGUAGES, DEVICES, COUNTRIES)]
            of_kind = decisions * weight / sum(hours.values()) / KINDS / 100
            for outcome, share in usual.items():
                cells[Cell(site_id, notice_id, hour, *kind, outcome)] += int(of_kind * share + dice.random())
            for _ in range(int(of_kind * CHOSEN_APART + dice.random())):
                cells[Cell(site_id, notice_id, hour, *kind, _apart(notice, dice))] += 1
    return +cells


def _usual(notice: Notice) -> dict[str, int]:
    """What most visitors do, of a hundred decisions."""
    purposes, vendors = tuple(sorted(notice.purposes)), tuple(sorted(notice.vendors))
    some = tuple(key for key in vendors if set(notice.vendors[key]) <= {"analytics"})
    found = {
        Outcome(Kind.FIRST, Action.ACCEPT_ALL, purposes, vendors): ACCEPTED,
        Outcome(Kind.FIRST, Action.ACCEPT_ALL, purposes, vendors, signal=True): ACCEPTED_WITH_SIGNAL,
        Outcome(Kind.FIRST, Action.REFUSE_ALL): REFUSED,
        Outcome(Kind.FIRST, Action.SAVE, ("analytics",), some): SAVED,
        Outcome(Kind.CHANGE, Action.SAVE, ("analytics",), some): CHANGED,
        Outcome(Kind.WITHDRAWAL): WITHDRAWN,
        Outcome(Kind.GPC, None, ("analytics",), some): SIGNALLED,
    }
    loads = {of_page_load(True, vendors): 3, of_page_load(True, ()): 2, of_page_load(False, ()): 2}
    return {outcome.text: share for outcome, share in (found | loads | BESIDE).items()}


def _apart(notice: Notice, dice: random.Random) -> str:
    purposes, vendors = (
        tuple(sorted(key for key in keys if dice.random() < 0.5)) for keys in (notice.purposes, notice.vendors)
    )
    return Outcome(Kind.FIRST, Action.SAVE, purposes, vendors).text


# What is read


def _times(ledger: Ledger, rounds: int) -> dict[str, tuple[float, float]]:
    """Milliseconds of the clock, and of this process's processor: other work on the machine delays the first alone."""
    services, year = ledger.services, Span(LAST - timedelta(days=DAYS - 1), LAST)
    month = Span(LAST - timedelta(days=30), LAST)

    def read(answer: Callable[[SiteRates], object]) -> object:
        with services[RatesReader].site("shop") as site:
            return answer(site)

    asked: dict[str, Callable[[], Any]] = {
        f"rates by {by}, {'31 days' if by is By.HOUR else 'a year'}": (
            lambda by=by: read(lambda site: site.rates(Filters(month if by is By.HOUR else year, by)))
        )
        for by in By
    }
    asked["dashboard, a year by week"] = lambda: read(lambda site: site.dashboard(Filters(year, By.WEEK)))
    asked["dashboard, a year by day"] = lambda: read(lambda site: site.dashboard(Filters(year)))
    app = create_app(services.settings, now=ledger.clock)
    headers, client = token(app, "marketer", "shop"), app.test_client()
    olga = Person(app, f"olga{monotonic_ns()}")
    olga.accept(olga.invited(*CAST["olga"]))
    span = f"from={year.first}&to={year.last}"

    def ok(response: Any) -> None:
        assert response.status_code == 200, response.text

    asked["GET /v1/sites/shop/rates, a year by day"] = lambda: ok(
        client.get(f"/v1/sites/shop/rates?by=day&{span}", headers=headers)
    )
    asked["GET /v1/sites/shop/rates.csv, a year by day"] = lambda: ok(
        client.get(f"/v1/sites/shop/rates.csv?by=day&{span}", headers=headers)
    )
    asked["GET /console/sites/shop/rates, 28 days"] = lambda: ok(olga.open("/console/sites/shop/rates"))
    for by in (By.WEEK, By.DAY):
        page = f"/console/sites/shop/rates?by={by}&{span}"
        asked[f"GET /console/sites/shop/rates, a year by {by}"] = lambda page=page: ok(olga.open(page))
    # As gunicorn.conf.py does, and for what made the year as well, which no server holds.
    gc.collect()
    gc.freeze()
    found = {name: (milliseconds(run, rounds), milliseconds(run, rounds, process_time)) for name, run in asked.items()}
    app.extensions["consent"].database.engine.dispose()
    return found


def milliseconds(run: Callable[[], object], rounds: int, clock: Callable[[], float] = perf_counter) -> float:
    """Median, after one run to warm up."""
    run()
    times = []
    for _ in range(rounds):
        began = clock()
        run()
        times.append(clock() - began)
    return statistics.median(times) * 1000


# What counting costs a decision


def _print_cost(name: str, ledger: Ledger) -> None:
    """The whole use case on one thread with and without its tally, in turns."""
    current = ledger.services[CurrentSites].get("shop")
    grants = dict.fromkeys(current.notice.purposes, True)

    def decide() -> None:
        said = answer(current.notice, decision_id=uuid4(), action=Action.ACCEPT_ALL, grants=grants)
        ledger.services[RecordDecision](current, said, Visit("mobile", "FR"))

    def uncounted(_: object, __: Counter[Cell]) -> None:
        return None

    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(15):
        for counted in (True, False):
            with patch.object(tallies, "add", tallies.add if counted else uncounted):
                times[counted].append(milliseconds(decide, 40))
    both = [statistics.median(times[counted]) for counted in (True, False)]
    print(f"\n| {name}: a decision alone, ms | with its tally | without | more |")
    print("|---|---:|---:|---:|")
    print(f"| median of 15 medians of 40 | {both[0]:.2f} | {both[1]:.2f} | {both[0] / both[1] - 1:.0%} |", flush=True)


if __name__ == "__main__":
    main()
