"""Erasure and retention among many records: how long they take, what the disk needs, and who waits meanwhile.

Usage: python -m bench.erasure [--records 3000000] [--postgresql]
Some records are made by the real use case; the rest are copies of their rows, written in bulk under tags, commitments
and keys of their own and sealed in large batches. Nobody can open what such a copy has encrypted, and nothing that is
measured here does. Then a process of its own records decisions, 50 a second in 8 threads, first alone (the baseline),
then while this one erases a visitor, and while it lets a tenth of all records go by retention. Refused posts are
counted; times are of those that were recorded.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

ROOT = Path(__file__).resolve().parent.parent
from sqlalchemy import func, select, text

from bench.records import EVERY, Ledger, make_ledger, open_services
from consent_server.core.durations import duration_days
from consent_server.core.errors import StorageUnavailable
from consent_server.core.postgresql import allow_long_work
from consent_server.decisions import store as decisions
from consent_server.decisions import store_record_keys as record_keys
from consent_server.decisions.record import RecordDecision
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_record_keys import SLOTS
from consent_server.decisions.rules_visit import Visit
from consent_server.ledger import seal
from consent_server.receipts.erase_visitor import erase_visitor
from consent_server.receipts.run_retention import run_retention
from consent_server.sites.current_site import CurrentSites
from tests.support.factories import PUBLIC_URL, answer
from tests.support.postgresql import PostgreSQL

POSTERS, A_SECOND, ALONE = 8, 50, 10
# Seconds of posts before and after what is measured, so that each has some.
AROUND = 1
WRITTEN_AT_ONCE, SEALED_AT_ONCE = 50_000, 50_000
SHARE = 10


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=3_000_000)
    parser.add_argument("--postgresql", action="store_true", help="on a cluster of its own instead of SQLite")
    parser.add_argument("--folder", type=Path, help="where an SQLite database is, or is made and stays")
    parser.add_argument("--post", nargs=2, metavar=("FOLDER", "URL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.post:
        _post(Path(options.post[0]), options.post[1])
        return
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        _measure(options.folder, f"sqlite:///{options.folder / 'consent.sqlite3'}", options.folder, options.records)
        return
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as name:
        folder = Path(name)
        if not options.postgresql:
            _measure(folder, f"sqlite:///{folder / 'consent.sqlite3'}", folder, options.records)
            return
        server = PostgreSQL(durable=True)
        try:
            server.execute("CREATE DATABASE consent")
            _measure(folder, server.url("consent"), server.folder / "data" / "base", options.records)
        finally:
            server.remove()


def _measure(folder: Path, url: str, files: Path, records: int) -> None:
    ledger = _reopened(folder, url) if (folder / "consent.sqlite3").exists() else make_ledger(folder, url)
    begun, usual = time.perf_counter(), seal.BATCH
    services = ledger.services
    _fill(ledger, records)
    print(f"filled in {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    seal.BATCH = SEALED_AT_ONCE
    seal.seal_ledger(services.database, services.keys.ring, services.now)
    seal.BATCH = usual
    print(f"sealed after {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    days = duration_days(services[CurrentSites].get("shop").site.proof_retention) or 0
    visitor = _visitor(ledger)
    over = _end_of_the_first_tenth(ledger) + timedelta(days=days)
    # What was written in bulk is in the log: in so large a one nobody ever writes.
    if services.database.embedded:
        services.database.alone("PRAGMA wal_checkpoint(TRUNCATE)")
    shared = (services.database, services.keys, PUBLIC_URL)

    def idle() -> int:
        time.sleep(ALONE)
        return 0

    def erase() -> int:
        return erase_visitor(*shared, services.now, os.urandom, visitor)

    def retain() -> int:
        return sum(count for _, count in run_retention(*shared, lambda: over, os.urandom))

    print("| | seconds | records | posts | refused | longest, s | 99th, s | disk before, peak, after, GB |")
    print(f"|---|{'---:|' * 7}", flush=True)
    for name, work in (("alone", idle), ("erasure of a visitor", erase), ("retention of a tenth", retain)):
        _row(name, folder, url, files, work)


def _reopened(folder: Path, url: str) -> Ledger:
    services, clock = open_services(folder, url)
    with services.database.reading() as session:
        clock.at = session.scalar(select(func.max(DecisionRow.recorded_at))) or clock.at
    return Ledger(services, clock, services[CurrentSites].get("shop").site_id, [])


def _fill(ledger: Ledger, count: int) -> None:
    """Write copies until there are `count` records."""
    with ledger.services.database.reading() as session:
        rows = session.connection().execute(text("SELECT * FROM decisions WHERE id <= 900 ORDER BY id")).mappings()
        models = [dict(row) for row in rows]
        have = session.scalar(select(func.count()).select_from(DecisionRow)) or 0
    if have >= count:
        return
    names = [name for name in models[0] if name != "id"]
    while have < count:
        some = min(WRITTEN_AT_ONCE, count - have)
        _write(ledger, names, _copies(ledger, models, some))
        have += some


def _copies(ledger: Ledger, models: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        ledger.clock.at += EVERY
        milliseconds, chance = round(ledger.clock.at.timestamp() * 1000), os.urandom(76)
        time_first = milliseconds.to_bytes(6)
        if number % SLOTS == 0:
            chunk = int.from_bytes(os.urandom(7))
            with ledger.services.database.transaction() as session:
                record_keys.add_chunk(session, ledger.site_id, chunk, os.urandom(32))
        model = models[number % len(models)]
        yield model | {
            "decision_id": chance[:16],
            "receipt_id": time_first + chance[16:26],
            "visitor": model["visitor"] and time_first + chance[26:36],
            "recorded_at": milliseconds,
            "commitment": chance[36:68],
            "key_chunk": chunk,
            "key_slot": number % SLOTS,
        }


def _write(ledger: Ledger, names: list[str], rows: Iterator[dict[str, Any]]) -> None:
    database = ledger.services.database
    values = [tuple(row[name] for name in names) for row in rows]
    columns = ", ".join(names)
    with database.transaction() as session:
        if not database.embedded:
            allow_long_work(session.connection())
        driver = session.connection().connection.driver_connection
        assert driver is not None
        if database.embedded:
            places = ", ".join("?" * len(names))
            driver.executemany(f"INSERT INTO decisions ({columns}) VALUES ({places})", values)
            return
        with driver.cursor().copy(f"COPY decisions ({columns}) FROM STDIN") as copy:
            for value in values:
                copy.write_row(value)


def _visitor(ledger: Ledger) -> UUID:
    """One who decides now."""
    current = ledger.services[CurrentSites].get("shop")
    grants = dict.fromkeys(current.notice.purposes, True)
    said = answer(current.notice, decision_id=uuid4(), action=Action.ACCEPT_ALL, grants=grants)
    receipt_id = ledger.services[RecordDecision](current, said, Visit()).receipt_id
    with ledger.services.database.reading() as session:
        record = decisions.by_receipt_id(session, receipt_id)
    assert record is not None
    assert record.visitor
    return record.visitor


def _end_of_the_first_tenth(ledger: Ledger) -> datetime:
    """When its last record was made."""
    with ledger.services.database.reading() as session:
        first, last = session.execute(select(func.min(DecisionRow.id), func.max(DecisionRow.id))).one()
        return session.get_one(DecisionRow, first + (last - first) // SHARE).recorded_at


def _row(name: str, folder: Path, url: str, files: Path, work: Callable[[], int]) -> None:
    command = [sys.executable, "-m", "bench.erasure", "--post", str(folder), url]
    posting = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert posting.stdout
    assert posting.stdout.readline() == "ready\n"
    with _watched(files) as disk:
        time.sleep(AROUND)
        begun = time.perf_counter()
        records = work()
        seconds = time.perf_counter() - begun
        time.sleep(AROUND)
    told, _ = posting.communicate("end\n")
    posts = json.loads(told)
    longest, most = posts["times"][-1], posts["times"][len(posts["times"]) * 99 // 100]
    sizes = ", ".join(f"{size / 1e9:.2f}" for size in (disk[0], max(disk), disk[-1]))
    counts = f"{records:,} | {len(posts['times']):,} | {posts['refused']:,}"
    print(f"| {name} | {seconds:.1f} | {counts} | {longest:.2f} | {most:.3f} | {sizes} |", flush=True)


@contextmanager
def _watched(files: Path) -> Iterator[list[int]]:
    """What the files take, again and again until the end."""
    sizes, end = [_size(files)], threading.Event()

    def watch() -> None:
        while not end.wait(0.1):
            sizes.append(_size(files))

    watching = threading.Thread(target=watch)
    watching.start()
    yield sizes
    end.set()
    watching.join()
    sizes.append(_size(files))


def _size(files: Path) -> int:
    total = 0
    for path in files.rglob("*"):
        # A file may go while it is looked at.
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _post(folder: Path, url: str) -> None:
    services = _reopened(folder, url).services
    current, times, refused = services[CurrentSites].get("shop"), list[float](), list[str]()
    end = threading.Event()

    def post_on(_: int) -> None:
        while not end.wait(POSTERS / A_SECOND):
            grants = dict.fromkeys(current.notice.purposes, True)
            said = answer(current.notice, decision_id=uuid4(), action=Action.ACCEPT_ALL, grants=grants)
            begun = time.perf_counter()
            try:
                services[RecordDecision](current, said, Visit())
            except StorageUnavailable as error:
                refused.append(error.detail)
            else:
                times.append(time.perf_counter() - begun)

    print("ready", flush=True)
    with ThreadPoolExecutor(POSTERS) as pool:
        done = pool.map(post_on, range(POSTERS))
        sys.stdin.readline()
        end.set()
        list(done)
    print(json.dumps({"times": sorted(times), "refused": len(refused)}))


if __name__ == "__main__":
    main()
