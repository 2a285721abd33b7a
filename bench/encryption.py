"""What it costs to encrypt records from before there were keys: a batch at the first and at the last of many.

Usage: python -m bench.encryption [--records 3000000] [--batches 500] [--postgresql]
The records are made in the clear, as the version before wrote them. A worker does a batch, rests, and does the next:
from both follows how long all of them take.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from bench.records import fill, make_ledger
from consent_server.core.context import Context
from consent_server.decisions.encrypt_records import BATCH, RecordEncryption, read_encryption
from consent_server.worker import ENCRYPT_PAUSE
from tests.support.earlier import earlier_version, upgrade
from tests.support.postgresql import PostgreSQL


def main() -> None:
    """Fill, encrypt a part at each end, print a row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=3_000_000)
    parser.add_argument("--batches", type=int, default=500)
    parser.add_argument("--postgresql", action="store_true", help="on a cluster of its own instead of SQLite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
        if not options.postgresql:
            _measure(Path(folder), None, options.records, options.batches)
            return
        server = PostgreSQL(durable=True)
        try:
            server.execute("CREATE DATABASE consent")
            _measure(Path(folder), server.url("consent"), options.records, options.batches)
        finally:
            server.remove()


def _measure(folder: Path, url: str | None, records: int, batches: int) -> None:
    with earlier_version():
        ledger = make_ledger(folder, url)
        fill(ledger, records)
    services = ledger.services
    upgrade(services)
    print(f"filled with {records:,}", file=sys.stderr, flush=True)
    run = RecordEncryption(services.database, services.now, services.random)
    print("| records | part | ms a batch of 100, median (99th) | processor, ms | all of them, h |")
    print(f"|---:|---|{'---:|' * 3}")
    _row("first", run, records, batches)
    _go_on(services, read_encryption(services.database).left - batches * BATCH)
    _row("last", run, records, batches)


def _row(part: str, run: RecordEncryption, records: int, batches: int) -> None:
    times, processor = list[float](), time.process_time()
    for _ in range(batches):
        began = time.perf_counter()
        done = run.encrypt_batch()
        times.append((time.perf_counter() - began) * 1000)
        assert done == BATCH, done
    processor = (time.process_time() - processor) / batches * 1000
    median, ninety_nine = statistics.median(times), statistics.quantiles(times, n=100)[-1]
    hours = records / BATCH * (ENCRYPT_PAUSE + statistics.fmean(times) / 1000) / 3600
    print(f"| {records:,} | {part} | {median:.1f} ({ninety_nine:.1f}) | {processor:.1f} | {hours:.1f} |", flush=True)


def _go_on(services: Context, records: int) -> None:
    """As if so many more were encrypted."""
    with services.database.transaction() as session:
        session.execute(text("UPDATE encryption SET encrypted_to = encrypted_to + :records"), {"records": records})


if __name__ == "__main__":
    main()
