"""Whether anything grows: the product as shipped under a steady load of decisions, at a share of the most it carries.

Usage: python -m bench.soak [--database SQLite|PostgreSQL] [--minutes 10] [--share 0.7]
Load goes to 127.0.0.1 only, from wrk with 16 connections. A row for each minute; the ledger is checked at the end.
"""

import argparse
import os
import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
from bench.servers import PostgreSQL, Server, run, serve_product

CONNECTIONS = 16
RESULT = re.compile(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)")


@dataclass(frozen=True)
class Minute:
    """Requests, refused and a second; milliseconds at the median, the 99th percentile and the most."""

    requests: int
    refused: int
    rate: float
    p50: float
    p99: float
    longest: float


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["SQLite", "PostgreSQL"], default="SQLite")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--share", type=float, default=0.7)
    options = parser.parse_args()
    with ExitStack() as stack:
        url = None
        if options.database == "PostgreSQL":
            postgresql = PostgreSQL()
            stack.callback(postgresql.remove)
            postgresql.execute("CREATE DATABASE bench")
            url = postgresql.url("bench")
        server = stack.enter_context(serve_product(options.database, url))
        _load(server, 5, 0)
        most = _load(server, 15, 0)
        # What a connection rests so that all of them together ask so often.
        pause = max(1.0, CONNECTIONS * 1000 / (options.share * most.rate) - most.p50)
        print(f"{options.database}: at most {most.rate:,.0f} decisions/s, and {options.share:.0%} of it from here on\n")
        print("| minute | decisions/s | refused | p50, ms | p99, ms | longest | workers, MiB | files | threads | log |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        for number in range(1, options.minutes + 1):
            print(_row(number, _load(server, 60, pause), server), flush=True)
        print(f"\n{_check(server)}")


def _load(server: Server, seconds: int, pause: float) -> Minute:
    command = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "-s",
        server.script,
        f"http://127.0.0.1:{server.port}",
    ]
    printed = run(command, os.environ | server.environment | {"PAUSE": f"{pause:.0f}"})
    match = RESULT.search(printed)
    assert match, printed
    requests, microseconds, refused = (int(group) for group in match.groups()[:3])
    return Minute(requests, refused, requests / microseconds * 1e6, *map(float, match.groups()[3:]))


def _row(number: int, minute: Minute, server: Server) -> str:
    workers = Path(f"/proc/{server.master}/task/{server.master}/children").read_text("ascii").split()
    memory = sum(_memory(pid) for pid in workers) / 1024
    files = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in workers)
    threads = sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in workers)
    log = _folder(server) / "consent.sqlite3-wal"
    size = log.stat().st_size / 2**20 if log.exists() else 0.0
    waits = f"{minute.p50:.1f} | {minute.p99:.1f} | {minute.longest:.0f}"
    return (
        f"| {number} | {minute.rate:,.0f} | {minute.refused} | {waits} "
        f"| {memory:.0f} | {files} | {threads} | {size:.1f} |"
    )


def _memory(pid: str) -> int:
    """What a process alone holds, in KiB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return sum(int(found) for found in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE))


def _environment(server: Server) -> dict[str, str]:
    pairs = Path(f"/proc/{server.master}/environ").read_text("utf-8").split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _folder(server: Server) -> Path:
    return Path(_environment(server)["CONSENT_INSTANCE"])


def _check(server: Server) -> str:
    command = [str(Path(sys.executable).parent / "flask"), "--app", "wsgi", "ledger"]
    run([*command, "seal"], _environment(server))
    return run([*command, "check", "shop"], _environment(server)).strip().splitlines()[-1]


if __name__ == "__main__":
    main()
