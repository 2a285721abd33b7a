"""The auditor's list, sample and gap report over many records, on both databases.

Usage: python -m bench.search [--records 1000000] [--rounds 7] [--sqlite-only]
Each figure is a whole use case, its transaction included. The baseline is the first page of all records: a page that
costs many times as much somewhere else is not a keyset page.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
from sqlalchemy import ColumnElement, func, select

from bench.records import UNGRANTED, Ledger, fill, make_ledger
from consent_server.audit.read_record import read_record
from consent_server.audit.report_gaps import report_gaps
from consent_server.audit.rules_search import Filter, Place
from consent_server.audit.sample import sample_records
from consent_server.audit.search import search_records
from consent_server.decisions import store as decisions
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.ledger.seal import seal_ledger
from consent_server.sites import store as sites
from consent_server.sites.rows import NoticeRow
from tests.support.postgresql import PostgreSQL

PAGE = 50


@dataclass(frozen=True)
class Search:
    """A filter with the places from which its pages are read."""

    name: str
    wanted: Filter
    matches: int
    places: tuple[Place | None, ...]


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sqlite-only", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
        _measure("SQLite", make_ledger(Path(folder)), options.records, options.rounds)
    if options.sqlite_only:
        return
    server = PostgreSQL()
    try:
        server.execute("CREATE DATABASE bench")
        with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
            _measure("PostgreSQL", make_ledger(Path(folder), server.url("bench")), options.records, options.rounds)
    finally:
        server.remove()


def _measure(name: str, ledger: Ledger, records: int, rounds: int) -> None:
    fill(ledger, records)
    print_pages(name, ledger, rounds)
    services = ledger.services
    seal_ledger(services.database, services.keys.ring, services.now)
    print_reports(ledger, rounds)
    services.database.engine.dispose()


def print_pages(name: str, ledger: Ledger, rounds: int) -> None:
    """Times of the first, the middle and the last page of every filter."""
    searches = [_search(ledger, title, wanted) for title, wanted in _filters(ledger).items()]
    base = _milliseconds(lambda: _page(ledger, searches[0].wanted, None), rounds)
    print(f"\n| {name}: pages of {PAGE} | records | first, ms | middle, ms | last, ms | worst to baseline |")
    print("|---|---:|---:|---:|---:|---:|")
    for search in searches:
        times = [_milliseconds(lambda: _page(ledger, search.wanted, place), rounds) for place in search.places]  # noqa: B023
        cells = " | ".join(f"{value:.1f}" for value in times)
        print(f"| {search.name} | {search.matches:,} | {cells} | {max(times) / base:.1f} |", flush=True)
    one = _milliseconds(_story(ledger), rounds)
    print(f"| receipt id: the record's own page, checked | 1 | {one:.1f} | | | {one / base:.1f} |")


def print_reports(ledger: Ledger, rounds: int) -> None:
    """Times of a sample and of the gap report."""
    services = ledger.services
    database, ring = services.database, services.keys.ring
    size = report_gaps(database, ring, ledger.site_id).size
    sample = _milliseconds(lambda: sample_records(database, ring, ledger.site_id, "seed", 50, size), rounds)
    gaps = _milliseconds(lambda: report_gaps(database, ring, ledger.site_id), rounds)
    print(f"| sample of 50 from {size:,} leaves | | {sample:.1f} | | | |")
    print(f"| gap report over {size:,} leaves | | {gaps:.1f} | | | |", flush=True)


def _filters(ledger: Ledger) -> dict[str, Filter]:
    with ledger.services.database.reading() as session:
        hashes = list(session.scalars(select(NoticeRow.hash).where(NoticeRow.site_id == ledger.site_id)))
        first, last = session.execute(select(func.min(DecisionRow.id), func.max(DecisionRow.id))).one()
        middle = session.get_one(DecisionRow, (first + last) // 2).recorded_at
        query = select(DecisionRow).where(DecisionRow.id > last // 2, DecisionRow.visitor_tag.is_not(None))
        (known,) = decisions.opened(session, session.scalars(query.order_by(DecisionRow.id).limit(1)).all())
        earliest, latest = session.execute(
            select(func.min(DecisionRow.recorded_at), func.max(DecisionRow.recorded_at))
        ).one()
    dates = {"since": middle - timedelta(days=10), "before": middle + timedelta(days=10)}
    single: dict[str, dict[str, Any]] = {
        "visitor": {"visitor": known.visitor},
        "20 days": dates,
        "all but the newest 10 days": {"since": earliest, "before": latest - timedelta(days=10)},
        "action save": {"action": Action.SAVE},
        "action gpc": {"action": Action.GPC},
        "purpose analytics": {"purpose": "analytics"},
        "purpose media (of later notices)": {"purpose": "media"},
        "purpose nobody granted": {"purpose": UNGRANTED},
        "oldest notice": {"notice": hashes[0]},
        "newest notice": {"notice": hashes[-1]},
    }
    found = {"all": Filter()} | {name: Filter(**values) for name, values in single.items()}
    for one, other in _pairs(list(single)):
        found[f"{one}, {other}"] = Filter(**single[one], **single[other])
    return found


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    return [(one, other) for one, other in pairs if _kind(one) != _kind(other)]


def _kind(name: str) -> str:
    kinds = ("notice", "days")
    return next((kind for kind in kinds if name.endswith(kind)), name.split()[0])


def _search(ledger: Ledger, name: str, wanted: Filter) -> Search:
    """Where its middle and its last page begin, found without the code that is measured."""
    where: list[ColumnElement[bool]] = [DecisionRow.site_id == ledger.site_id]
    where += [decisions.is_of(DecisionRow.visitor_tag, [wanted.visitor])] if wanted.visitor else []
    where += [DecisionRow.action == wanted.action.value] if wanted.action else []
    where += [DecisionRow.recorded_at >= wanted.since] if wanted.since else []
    where += [DecisionRow.recorded_at < wanted.before] if wanted.before else []
    where += [DecisionRow.granted.contains(f" {wanted.purpose} ")] if wanted.purpose else []
    if wanted.notice:
        notice = select(NoticeRow.id).where(NoticeRow.hash == wanted.notice)
        where.append(DecisionRow.notice_id == notice.scalar_subquery())
    with ledger.services.database.reading() as session:
        rows = session.execute(select(DecisionRow.recorded_at, DecisionRow.id).where(*where))
        places: list[Place] = sorted((row[0], row[1]) for row in rows)
    last = places[PAGE] if len(places) > PAGE else None
    # Where nothing is found, "last" looks from the end of time: the whole scan, if there is one.
    return Search(name, wanted, len(places), (None, places[len(places) // 2] if places else None, last))


def _page(ledger: Ledger, wanted: Filter, after: Place | None) -> None:
    search_records(ledger.services.database, ledger.site_id, wanted, after, PAGE)


def _story(ledger: Ledger) -> Callable[[], object]:
    services = ledger.services
    with services.database.reading() as session:
        # The first record is as the use case made it: copies follow (bench/records.py).
        oldest = session.scalars(select(DecisionRow).order_by(DecisionRow.id).limit(1)).all()
        receipt = decisions.opened(session, oldest)[0].receipt_id
        stored = sites.get(session, "shop")
    return lambda: read_record(services.database, services.keys.ring, stored, receipt, services.now)


def _milliseconds(work: Callable[[], object], rounds: int) -> float:
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
