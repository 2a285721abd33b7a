"""Decisions per second over HTTP: the product as shipped, as a ratio to Flask's "hello" in the same run.

Usage: python bench/decisions.py [--rounds 5] [--seconds 4]
Load goes to 127.0.0.1 only, from wrk with 16 connections; rounds of all servers take turns.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.postgresql import PostgreSQL
from tests.support.process import free_port

BIN = Path(sys.executable).parent
RESULT = re.compile(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)")


@dataclass
class Server:
    """One server under load, with what its rounds measured."""

    name: str
    port: int
    notice: str = ""
    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    with ExitStack() as stack:
        postgresql = PostgreSQL()
        stack.callback(postgresql.remove)
        postgresql.execute("CREATE DATABASE bench")
        servers = [
            stack.enter_context(_hello()),
            stack.enter_context(serve_product("SQLite", None)),
            stack.enter_context(serve_product("PostgreSQL", postgresql.url("bench"))),
        ]
        for server in servers:
            _load(server, 1)
        for server in servers:
            server.rates, server.p50, server.p99 = [], [], []
        for _ in range(options.rounds):
            for server in servers:
                _load(server, options.seconds)
    _print(servers)


@contextmanager
def _hello() -> Iterator[Server]:
    port = free_port()
    arguments = [
        "--chdir",
        str(ROOT / "bench"),
        "--config",
        "/dev/null",
        "-w",
        "2",
        "-b",
        f"127.0.0.1:{port}",
        "hello:app",
    ]
    with _running([str(BIN / "gunicorn"), *arguments], dict(os.environ)):
        _wait(port, "/")
        yield Server("Flask hello, 2 sync workers", port)


@contextmanager
def serve_product(name: str, database_url: str | None) -> Iterator[Server]:
    """The product as shipped with bench/shop.toml, on a database of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
        # The load comes "through a proxy", each request from another address: the rate limit works as
        # it does for real visitors.
        environment = dict(os.environ, CONSENT_INSTANCE=folder, CONSENT_TRUSTED_PROXIES="1", PORT=str(port))
        if database_url:
            keys = Path(folder) / "keys.json"
            keys.write_text(_run([str(BIN / "flask"), "--app", "wsgi", "key", "new"], environment))
            environment |= {
                "CONSENT_DATABASE_URL": database_url,
                "CONSENT_SECRET_KEY": "x" * 40,
                "CONSENT_SIGNING_KEYS_FILE": str(keys),
            }
        flask = [str(BIN / "flask"), "--app", "wsgi"]
        _run([*flask, "db", "upgrade"], environment)
        printed = _run([*flask, "site", "apply", str(ROOT / "bench" / "shop.toml")], environment)
        with _running([str(BIN / "gunicorn"), "wsgi:app"], environment):
            _wait(port, "/readyz")
            yield Server(name, port, printed.split()[1])


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(port: int, path: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nothing answers on port {port}")


def _load(server: Server, seconds: int) -> None:
    command = [
        "wrk",
        "-t1",
        "-c16",
        f"-d{seconds}s",
        "-s",
        "bench/post_decision.lua",
        f"http://127.0.0.1:{server.port}",
    ]
    printed = _run(command, dict(os.environ, NOTICE=server.notice))
    match = RESULT.search(printed)
    assert match, printed
    requests, microseconds, errors = (int(group) for group in match.groups()[:3])
    assert errors == 0, f"{server.name}: {errors} requests failed"
    server.rates.append(requests / microseconds * 1e6)
    server.p50.append(float(match[4]))
    server.p99.append(float(match[5]))


def _print(servers: list[Server]) -> None:
    baseline = servers[0]
    print("| server | decisions/s | ratio to hello, median (min to max) | p50 ms | p99 ms |")
    print("|---|---:|---:|---:|---:|")
    for server in servers:
        ratios = [rate / base for rate, base in zip(server.rates, baseline.rates, strict=True)]
        print(
            f"| {server.name} | {statistics.median(server.rates):,.0f} "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
            f"| {statistics.median(server.p50):.1f} | {statistics.median(server.p99):.1f} |"
        )


if __name__ == "__main__":
    main()
