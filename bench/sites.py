"""What a decision costs on a server of one site and on one of many: processor time, checkpoints, metrics, start, idle.

Usage: python -m bench.sites [--sites 1,500] [--rounds 3] [--seconds 15] [--idle 60]
The product as shipped on SQLite, a server each. wrk posts to sites at random, to 127.0.0.1 alone; rounds of all
servers take turns. The time is that of all the server's processes, until what was posted is counted and sealed.
"""

import argparse
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
from flask_migrate import upgrade

from bench.servers import TICKS, ticks
from consent_server.access.rules import Role
from consent_server.app import create_app
from consent_server.core.context import Context, db
from consent_server.people.tokens import create_token
from consent_server.sites.publish import publish_notice
from consent_server.sites.site_file import read_site_file
from tests.support.factories import settings_for
from tests.support.process import free_port

BIN = Path(sys.executable).parent
RESULT = re.compile(r"RESULT (\d+) \d+ (\d+)")
# Longer than counters and refused posts wait for their turn.
SETTLED = 6


@dataclass
class Server:
    """A server with so many sites, and what its rounds measured."""

    sites: int
    folder: Path
    port: int
    master: int
    token: str
    start: float
    milliseconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    checkpoints: list[float] = field(default_factory=list)

    def processor(self) -> float:
        """Seconds that its processes have worked so far."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()
        return sum(ticks(process) for process in (str(self.master), *children)) / TICKS

    def ask(self, query: str) -> int:
        """A number from its database."""
        with sqlite3.connect(f"file:{self.folder / 'consent.sqlite3'}?mode=ro", uri=True) as connection:
            (number,) = connection.execute(query).fetchone()
        assert isinstance(number, int)
        return number

    def busy(self) -> bool:
        """Whether something is not yet counted or sealed."""
        behind = (
            "SELECT count(*) FROM decisions LEFT JOIN leaves ON decision_row = decisions.id WHERE leaf_index IS NULL"
        )
        return self.ask("SELECT count(*) FROM tallies") > 0 or self.ask(behind) > 0


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", default="1,500")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--idle", type=int, default=60)
    options = parser.parse_args()
    with ExitStack() as stack:
        servers = [stack.enter_context(_serve(int(sites))) for sites in options.sites.split(",")]
        for server in servers:
            _warm_up(server)
        idle = [_idle(server, options.idle) for server in servers]
        for server in servers:
            server.milliseconds, server.rates, server.checkpoints = [], [], []
        for _ in range(options.rounds):
            for server in servers:
                _load(server, options.seconds)
        _print(servers, idle)


@contextmanager
def _serve(sites: int) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as name:
        folder, port = Path(name), free_port()
        token = _prepare(folder, sites)
        # The load comes "through a proxy", each request from another address.
        environment = dict(os.environ, CONSENT_INSTANCE=name, CONSENT_TRUSTED_PROXIES="1", PORT=str(port))
        environment |= {"CONSENT_SECRET_KEY": "x" * 40}
        began, command = time.monotonic(), [BIN / "gunicorn", "wsgi:app"]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait(port)
            yield Server(sites, folder, port, process.pid, token, time.monotonic() - began)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _prepare(folder: Path, sites: int) -> str:
    """A database with so many sites, a file of their keys and notices; returns an operator's token."""
    app = create_app(settings_for(folder, f"sqlite:///{folder / 'consent.sqlite3'}"))
    services: Context = app.extensions["consent"]
    declared = (ROOT / "bench" / "shop.toml").read_text("utf-8")
    with app.app_context():
        upgrade()
        with (folder / "sites").open("w") as lines:
            for number in range(sites):
                key = f"shop-{number}"
                text = declared.replace('key = "shop"', f'key = "{key}"')
                published = publish_notice(
                    services.database, read_site_file(text), services.settings.public_url, services.now()
                )
                lines.write(f"{key} {published.notice}\n")
        token = create_token(services.database, Role.OPERATOR, None, "bench", services.now())
        db.engine.dispose()
    return token


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"nothing answers on port {port}"
            time.sleep(0.02)


def _warm_up(server: Server) -> None:
    # Every site has been asked for.
    while server.ask("SELECT count(DISTINCT site_id) FROM decisions") < server.sites:
        _load(server, 5)


def _load(server: Server, seconds: int) -> None:
    checkpoints, before = server.ask("SELECT count(*) FROM checkpoints"), server.processor()
    command = [
        "wrk",
        "-t1",
        "-c16",
        f"-d{seconds}s",
        "-s",
        "bench/post_decision.lua",
        f"http://127.0.0.1:{server.port}",
    ]
    environment = dict(os.environ, SITES=(server.folder / "sites").read_text())
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    match = RESULT.search(done.stdout)
    assert match, done.stdout + done.stderr
    sent, refused = int(match[1]), int(match[2])
    failed = [line for line in (server.folder / "log").read_text().splitlines() if '"status": 20' not in line]
    # On a busy machine the database is slow for a moment, and who cannot wait is refused.
    assert refused < sent / 50, "\n".join([f"{refused} of {sent} requests failed", done.stdout, *failed[-20:]])
    decisions = sent - refused
    deadline = time.monotonic() + 30
    while server.busy():
        assert time.monotonic() < deadline, "Counting and sealing do not come to an end."
        time.sleep(0.2)
    server.milliseconds.append((server.processor() - before) / decisions * 1000)
    server.rates.append(decisions / seconds)
    server.checkpoints.append((server.ask("SELECT count(*) FROM checkpoints") - checkpoints) / decisions)


def _idle(server: Server, seconds: int) -> float:
    """The share of one core that it takes when nobody comes."""
    time.sleep(SETTLED)
    before, began = server.processor(), time.monotonic()
    time.sleep(seconds)
    return (server.processor() - before) / (time.monotonic() - began)


def _metrics(server: Server) -> tuple[int, float]:
    """Bytes and milliseconds of the middle of eleven answers."""
    headers = {"Authorization": f"Bearer {server.token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics", headers=headers)
    times, size = [], 0
    for _ in range(11):
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=30) as answer:
            size = len(answer.read())
        times.append((time.monotonic() - began) * 1000)
    return size, statistics.median(times)


def _print(servers: list[Server], idle: list[float]) -> None:
    print(
        "| sites | ms of processor a decision (min to max) | to the first | decisions/s | checkpoints a decision",
        end="",
    )
    print(" | idle, % of a core | /metrics bytes | ms | start, s |")
    print(f"|{'---:|' * 9}")
    first = statistics.median(servers[0].milliseconds)
    for server, share in zip(servers, idle, strict=True):
        cost = statistics.median(server.milliseconds)
        size, milliseconds = _metrics(server)
        print(
            f"| {server.sites:,} | {cost:.2f} ({min(server.milliseconds):.2f} to {max(server.milliseconds):.2f}) "
            f"| {cost / first:.2f} | {statistics.median(server.rates):,.0f} "
            f"| {statistics.median(server.checkpoints):.2f} "
            f"| {share * 100:.2f} | {size:,} | {milliseconds:.0f} | {server.start:.1f} |"
        )


if __name__ == "__main__":
    main()
