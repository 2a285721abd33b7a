"""Sealing, proofs and evidence packs as a ledger grows: rates, times and memory, as ratios to the bare work.

Usage: python -m bench.ledger [--records 1000000] [--exports 10000,200000] [--verify 10000]
SQLite as shipped, in a folder of its own. Each measured step is a process of its own, so that its peak memory is
its own; its baseline runs in the same process right after it. Where the records come from: bench/records.py.
"""

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
from sqlalchemy import func, select

from bench.records import fill, make_ledger, open_services
from consent_server.audit.export import export_evidence
from consent_server.core.context import Context
from consent_server.decisions import store as decisions
from consent_server.decisions.rows import DecisionRow
from consent_server.ledger.seal import BATCH, seal_ledger
from consent_server.receipts.prove import prove_receipt

STEPS = (1_000, 10_000, 100_000, 200_000, 1_000_000)
PROOFS = 300
# As many records as the baselines of rates are taken over.
SAMPLE = 20_000
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000", "cache_size=-16000")

Figures = dict[str, float]


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--exports", default="10000,200000", help="sizes at which a pack is exported")
    parser.add_argument("--verify", type=int, default=10_000, help="receipts in the pack that is verified; 0 for none")
    parser.add_argument("--step", choices=STEP_WORK, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(STEP_WORK[options.step](_reopened(options.folder), options.folder)))
        return
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
        _grow(Path(folder), options.records, {int(size) for size in options.exports.split(",")})
    if options.verify:
        with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
            _verify(Path(folder), options.verify)


def _grow(folder: Path, records: int, exports: set[int]) -> None:
    ledger = make_ledger(folder)
    heads = ["sealed/s", "to bare", "peak MiB", "proof, ms", "p95", "to bare", "hashes"]
    heads += ["exported/s", "to bare", "peak MiB"]
    print(f"| leaves | {' | '.join(heads)} |\n|{'---:|' * 11}")
    for size in sorted({size for size in STEPS if size < records} | {records}):
        fill(ledger, size)
        # The steps open it anew, and the last connection that closes writes the log back.
        ledger.services.database.engine.dispose()
        seal, proof = _step("seal", folder), _step("proof", folder)
        cells = [f"{size:,}", *_rate(seal), f"{proof['ms']:.2f}", f"{proof['p95']:.2f}", f"{proof['ratio']:.1f}"]
        cells += [f"{proof['hashes']:.0f}", *(_rate(_step("export", folder)) if size in exports else ["", "", ""])]
        print(f"| {' | '.join(cells)} |", flush=True)


def _rate(figures: Figures) -> list[str]:
    return [f"{figures['rate']:,.0f}", f"{figures['ratio']:.2f}", f"{figures['peak']:.0f}"]


def _step(name: str, folder: Path) -> Figures:
    command = [sys.executable, "-m", "bench.ledger", "--step", name, "--folder", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures: Figures = json.loads(done.stdout)
    return figures


def _reopened(folder: Path) -> Context:
    services, clock = open_services(folder)
    with services.database.reading() as session:
        # The time of the newest record: checkpoints are not dated before what they cover.
        clock.at = session.scalar(select(func.max(DecisionRow.recorded_at))) or clock.at
    return services


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seal(services: Context, folder: Path) -> Figures:
    start = time.perf_counter()
    sealed = seal_ledger(services.database, services.keys.ring, services.now)
    seconds = time.perf_counter() - start
    peak, records = _peak(), sum(site.records for site in sealed)
    rate = records / seconds
    return {"rate": rate, "peak": peak, "ratio": rate / _bare_seal(folder, min(records, SAMPLE))}


def _bare_seal(folder: Path, count: int) -> float:
    """Records a second: read, SHA-256, INSERT, a durable commit for each batch of the sealer's size."""
    connection = _connect(folder / "consent.sqlite3")
    other = _connect(folder / "bare.sqlite3")
    other.execute("CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, hash BLOB NOT NULL)")
    last = other.execute("SELECT coalesce(max(id), 0) FROM bare").fetchone()[0]
    start = time.perf_counter()
    for low in range(0, count, BATCH):
        query = "SELECT commitment, content FROM decisions WHERE id > ? ORDER BY id LIMIT ?"
        rows = connection.execute(query, (low, min(BATCH, count - low)))
        hashes = [(sha256(data + content).digest(),) for data, content in rows]
        other.execute("BEGIN IMMEDIATE")
        other.executemany("INSERT INTO bare (hash) VALUES (?)", hashes)
        other.execute("COMMIT")
    seconds = time.perf_counter() - start
    assert other.execute("SELECT max(id) FROM bare").fetchone()[0] == last + count
    return count / seconds


def _proof(services: Context, _folder: Path) -> Figures:
    def bare(row: int) -> bytes | None:
        # As any look-up in the product: a transaction of its own, by the same library.
        with services.database.reading() as session:
            return session.scalar(select(DecisionRow.content).where(DecisionRow.id == row))

    with services.database.reading() as session:
        top = session.scalar(select(func.max(DecisionRow.id))) or 0
        # Spread over the whole ledger, in no order of the files.
        rows = [1 + number * 7919 % top for number in range(PROOFS)]
        asked = [session.get_one(DecisionRow, row) for row in rows]
        ids = [str(record.receipt_id) for record in decisions.opened(session, asked)]
    prove_receipt(services.database, ids[0])
    bare(rows[0])
    # One after the other: whatever else the machine does meets both alike.
    pairs = [
        (_timed(lambda: prove_receipt(services.database, receipt)), _timed(lambda: bare(row)))  # noqa: B023
        for receipt, row in zip(ids, rows, strict=True)
    ]
    times = sorted(proof[0] for proof, _ in pairs)
    middle = statistics.median(times)
    return {
        "ms": middle * 1000,
        "p95": times[len(times) * 95 // 100] * 1000,
        "ratio": middle / statistics.median(lookup[0] for _, lookup in pairs),
        "hashes": max(len(proof[1].hashes) for proof, _ in pairs),
    }


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    done = work()
    return time.perf_counter() - start, done


def _export(services: Context, folder: Path) -> Figures:
    connection = _connect(folder / "consent.sqlite3")
    count = connection.execute("SELECT count(*) FROM decisions").fetchone()[0]
    start = time.perf_counter()
    with (folder / "pack.zip").open("wb") as out:
        _write_pack(services, out.write)
    rate, peak = count / (time.perf_counter() - start), _peak()
    return {"rate": rate, "peak": peak, "ratio": rate / _bare_export(services, folder, min(count, SAMPLE))}


def _write_pack(services: Context, write: Callable[[bytes], object]) -> None:
    url = services.settings.public_url
    pack = export_evidence(services.database, services.keys.ring, url, services.now, "shop", None, None)
    for piece in pack:
        write(piece)


def _bare_export(services: Context, folder: Path, count: int) -> float:
    """Records a second: read receipt and salt in the clear, one JSON line each, deflated; no leaf, no proof."""
    connection = _connect(folder / "bare.sqlite3")
    connection.execute("DROP TABLE IF EXISTS clear")
    connection.execute("CREATE TABLE clear (receipt TEXT NOT NULL, salt BLOB NOT NULL)")
    with services.database.reading() as session:
        for low in range(0, count, BATCH):
            page = select(DecisionRow).order_by(DecisionRow.id).offset(low).limit(min(BATCH, count - low))
            records = decisions.opened(session, session.scalars(page).all())
            session.expunge_all()
            clear = [(record.receipt, record.salt) for record in records]
            connection.executemany("INSERT INTO clear VALUES (?, ?)", clear)
    deflate = zlib.compressobj()
    start = time.perf_counter()
    for receipt, salt in connection.execute("SELECT receipt, salt FROM clear"):
        deflate.compress(json.dumps({"receipt": receipt, "salt": salt.hex()}).encode())
    deflate.flush()
    return count / (time.perf_counter() - start)


def _verify(folder: Path, count: int) -> None:
    """A pack of records that the use case made, every one of them: copies would not stand up to verify.py."""
    ledger = make_ledger(folder, pool=-(-count // 3))
    with (folder / "pack.zip").open("wb") as out:
        _write_pack(ledger.services, out.write)
    ledger.services.database.engine.dispose()
    size = (folder / "pack.zip").stat().st_size
    script = ROOT / "consent_server" / "evidence" / "verify.py"
    for jobs in (1, os.cpu_count() or 1):
        command = [sys.executable, "-I", "-S", str(script), str(folder / "pack.zip"), "--jobs", str(jobs)]
        start = time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        assert done.returncode == 0, done.stdout + done.stderr
        print(f"verify.py, {jobs} processes: {seconds:.1f} s for {count:,} receipts in a pack of {size / 1e6:.1f} MB")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


STEP_WORK: dict[str, Callable[[Context, Path], Figures]] = {"seal": _seal, "proof": _proof, "export": _export}

if __name__ == "__main__":
    main()
