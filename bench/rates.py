"""Rates and the marketers' page over one year of roll-ups, on both databases; and what counting adds to a decision.

Usage: python bench/rates.py [--decisions 10000000] [--rounds 9] [--sqlite-only]
The roll-ups are made directly, as a year of these decisions would have left them. The same cells are measured with a
hundredth of the decisions: what is read is the cells, so the two must cost the same.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import func, insert, select, text, update  # noqa: E402

from bench.records import Ledger, make_ledger  # noqa: E402
from consent_server.app import create_app  # noqa: E402
from consent_server.domain.decision import Action  # noqa: E402
from consent_server.domain.visit import Visit  # noqa: E402
from consent_server.storage import tallies  # noqa: E402
from consent_server.storage.rows import NoticeRow, RollUpRow  # noqa: E402
from consent_server.storage.tallies import Cell  # noqa: E402
from consent_server.usecases.read_dashboard import read_dashboard  # noqa: E402
from consent_server.usecases.read_rates import By, Span, read_rates  # noqa: E402
from tests.access.conftest import token  # noqa: E402
from tests.access.people import CAST, Person  # noqa: E402
from tests.factories import answer  # noqa: E402
from tests.postgresql import PostgreSQL  # noqa: E402

DAYS = 365
LAST = date(2026, 11, 23)
LANGUAGES = {"en": 40, "fr": 30, "es": 20, "it": 10}
DEVICES = {"desktop": 50, "mobile": 45, "tablet": 5}
COUNTRIES = {f"{chr(65 + number)}{chr(90 - number % 26)}": 100 // (number + 1) + 1 for number in range(26)}
COUNTRIES |= {"": 5, "BE": 5, "CH": 4, "NL": 3}
# Of a hundred decisions; the views, robots and conversions come on top. What is granted follows each notice.
OUTCOMES = {
    "first:accept_all:advertising,analytics:google-ads,google-analytics,meta-pixel": 46,
    "first:refuse_all": 34,
    "first:save:analytics:google-analytics": 12,
    "change:save:analytics:google-analytics": 2,
    "withdrawal": 3,
    "first:accept_all:advertising,analytics:google-ads,google-analytics,meta-pixel:gpc": 1,
    "gpc::analytics:google-analytics": 2,
}
BESIDE = {
    "shown": 160,
    "robot": 6,
    "prefetch": 2,
    "conversion_sent:::google-ads": 3,
    "conversion_blocked:::google-ads": 2,
}
GOAL = 300


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--sqlite-only", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
        _measure("SQLite", make_ledger(Path(folder), pool=20), options.decisions, options.rounds)
    if options.sqlite_only:
        return
    server = PostgreSQL()
    try:
        server.execute("CREATE DATABASE bench")
        with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
            ledger = make_ledger(Path(folder), server.url("bench"), pool=20)
            _measure("PostgreSQL", ledger, options.decisions, options.rounds)
    finally:
        server.remove()


def _measure(name: str, ledger: Ledger, decisions: int, rounds: int) -> None:
    cells = roll_up(ledger, decisions)
    many = _times(ledger, rounds)
    _thin(ledger, 100)
    few = _times(ledger, rounds)
    print(f"\n| {name}, a year in {cells:,} rows | {decisions:,} decisions, ms | {decisions // 100:,}, ms | goal, ms |")
    print("|---|---:|---:|---:|")
    for what, value in many.items():
        print(f"| {what} | {value:.0f} | {few[what]:.0f} | {GOAL} |", flush=True)
    _print_cost(name, ledger)
    ledger.services.database.engine.dispose()


# A year of cells


def roll_up(ledger: Ledger, decisions: int) -> int:
    """Fill the roll-ups; return how many rows they are."""
    dice = random.Random(5)
    database = ledger.services.database
    with database.engine.begin() as connection:
        notices = list(connection.scalars(select(NoticeRow.id).where(NoticeRow.site_id == ledger.site_id)))
        connection.execute(RollUpRow.__table__.delete())
        connection.execute(tallies.TALLIES.delete())
        for day in range(DAYS):
            rows = list(_day(ledger.site_id, notices[day * len(notices) // DAYS], day, decisions / DAYS, dice))
            connection.execute(insert(RollUpRow), rows)
    if not database.embedded:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE roll_ups"))
    with database.reading() as session:
        of_decisions = (RollUpRow.dimension == "day", RollUpRow.outcome.in_(OUTCOMES))
        made = session.scalar(select(func.sum(RollUpRow.count)).where(*of_decisions)) or 0
        assert abs(int(made) - decisions) < decisions / 100, made
        return session.scalar(select(func.count()).select_from(RollUpRow)) or 0


def _day(site_id: int, notice_id: int, day: int, decisions: float, dice: random.Random) -> Iterator[dict[str, Any]]:
    period = (LAST - timedelta(days=DAYS - 1 - day)).isoformat()
    hours = {f"{period}T{hour:02d}": 1 + 3 * (8 <= hour <= 21) for hour in range(24)}
    splits: dict[str, dict[str, int]] = {
        "hour": hours, "day": {"": 1}, "language": LANGUAGES, "device": DEVICES, "country": COUNTRIES,
    }  # fmt: skip
    for dimension, values in splits.items():
        whole = sum(values.values())
        for value, weight in values.items():
            for outcome, share in (OUTCOMES | BESIDE).items():
                count = round(decisions * weight / whole * share / 100 + dice.uniform(-0.4, 0.4))
                yield {
                    "site_id": site_id, "dimension": dimension, "period": value if dimension == "hour" else period,
                    "value": "" if dimension == "hour" else value, "notice_id": notice_id, "outcome": outcome,
                    "count": max(count, 1),
                }  # fmt: skip


def _thin(ledger: Ledger, times: int) -> None:
    """The same cells with a fraction of the events."""
    with ledger.services.database.engine.begin() as connection:
        connection.execute(update(RollUpRow).values(count=RollUpRow.count / times + 1))


# What is read


def _times(ledger: Ledger, rounds: int) -> dict[str, float]:
    services, year = ledger.services, Span(LAST - timedelta(days=DAYS - 1), LAST)
    month = Span(LAST - timedelta(days=30), LAST)
    database = services.database
    asked: dict[str, Callable[[], Any]] = {
        f"read_rates by {by}, {'31 days' if by is By.HOUR else 'a year'}": (
            lambda by=by: read_rates(database, "shop", month if by is By.HOUR else year, by)
        )
        for by in By
    }
    asked["read_dashboard, a year"] = lambda: read_dashboard(database, "shop", year, By.DAY)
    app = create_app(services.settings, now=ledger.clock)
    headers, client = token(app, "marketer", "shop"), app.test_client()
    olga = Person(app, f"olga{time.monotonic_ns()}")
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
    asked["GET /console/sites/shop/rates, a year"] = lambda: ok(olga.open(f"/console/sites/shop/rates?by=day&{span}"))
    found = {name: milliseconds(run, rounds) for name, run in asked.items()}
    app.extensions["consent"].database.engine.dispose()
    return found


def milliseconds(run: Callable[[], object], rounds: int) -> float:
    """Median, after one run to warm up."""
    run()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


# What counting costs a decision


def _print_cost(name: str, ledger: Ledger) -> None:
    """The whole use case on one thread with and without its tally, in turns."""
    current = ledger.services.sites.get("shop")
    grants = dict.fromkeys(current.notice.purposes, True)

    def decide() -> None:
        said = answer(current.notice, decision_id=uuid4(), action=Action.ACCEPT_ALL, grants=grants)
        ledger.services.record_decision(current, said, Visit("mobile", "FR"))

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
