"""What breaks while visitors decide, and what they and the ledger see of it: the product as shipped, on both databases.

Usage: python -m bench.faults [--database sqlite|postgresql] [--clients 20] [FAULT ...]
Each fault is played on a server of its own. Clients decide all the time; whoever is not answered, or answered 503,
sends the same again, as a browser does. Afterwards every receipt is asked for, and the ledger is checked.
Load goes to 127.0.0.1 only. Exits with 1 when an acknowledged record is lost, an answer is wrong or a ledger broken.
"""

import argparse
import http.client
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
import psycopg

from tests.support.faults import Way, way_to
from tests.support.postgresql import PostgreSQL
from tests.support.process import free_port

BIN = Path(sys.executable).parent
SITE, ORIGIN = "shop", "http://127.0.0.1:8001"
POST, WIDGET, HEALTH = f"/v1/sites/{SITE}/decisions", f"/widget/{SITE}.js", "/healthz"
# Seconds: between two decisions of a client, between two looks of a probe, before a fault, and of asking in vain.
PAUSE, LOOK, CALM, GIVE_UP = 0.2, 0.1, 3, 90
# A client is patient: what is measured is how long the server keeps it waiting.
PATIENCE = 60


@dataclass
class Seen:
    """What clients and probes saw: statuses (0: no answer), waits in seconds by address, and when the last 201 came."""

    statuses: Counter[int] = field(default_factory=Counter)
    waits: dict[str, list[float]] = field(default_factory=dict)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    last_failure: float = 0.0

    def note(self, path: str, status: int, wait: float) -> None:
        """One answer, or none."""
        with self.lock:
            self.waits.setdefault(path, []).append(wait)
            if path == POST:
                self.statuses[status] += 1
            if status in (0, 503):
                self.last_failure = time.monotonic()

    def acknowledge(self, sent: dict[str, Any], answer: dict[str, Any]) -> None:
        """A receipt was given out; the same decision never has another."""
        with self.lock:
            known = self.acknowledged.setdefault(sent["decision_id"], answer)
            if known["receipt"] != answer["receipt"]:
                self.wrong.append(f"two receipts of decision {sent['decision_id']}")


class Product:
    """The server with its configuration, on a database of its own, and whoever supervises it."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.port, self.folder = free_port(), folder
        self.environment = dict(
            os.environ, CONSENT_INSTANCE=str(folder), PORT=str(self.port), CONSENT_RATE_LIMIT="1000000 per minute",
            CONSENT_SECRET_KEY="x" * 40,
        )  # fmt: skip
        if database_url:
            keys = folder / "keys.json"
            keys.write_text(self.command("key", "new"))
            self.environment |= {"CONSENT_DATABASE_URL": database_url, "CONSENT_SIGNING_KEYS_FILE": str(keys)}
        self.command("db", "upgrade")
        self.notice = self.command("site", "apply", str(ROOT / "bench" / "shop.toml")).split()[1]
        self._log = (folder / "server.log").open("ab")
        self._ended = False
        self.start()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()

    def command(self, *arguments: str) -> str:
        """What a command prints."""
        command = [str(BIN / "flask"), "--app", "wsgi", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """A new master."""
        command = [str(BIN / "gunicorn"), "wsgi:app"]
        self.master = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=self._log, start_new_session=True
        )

    def _supervise(self) -> None:
        # As systemd with Restart=always and RestartSec=0.1.
        while not self._ended:
            self.master.wait()
            if not self._ended:
                time.sleep(0.1)
                self.start()

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers."""
        children = Path(f"/proc/{self.master.pid}/task/{self.master.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def end(self) -> None:
        """Stop everything."""
        self._ended = True
        self.master.terminate()
        try:
            self.master.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.master.pid, signal.SIGKILL)
        self._log.close()


@dataclass
class Stage:
    """What a fault may touch."""

    product: Product
    postgresql: PostgreSQL | None
    way: Way | None = None


Fault = Callable[[Stage], None]
FAULTS: dict[str, tuple[str, Fault]] = {}


def fault(databases: str = "sqlite postgresql") -> Callable[[Fault], Fault]:
    """A fault of these databases, named by its function."""

    def keep(play: Fault) -> Fault:
        FAULTS[play.__name__.replace("_", "-")] = (databases, play)
        return play

    return keep


@fault()
def nothing(stage: Stage) -> None:
    """No fault: what the machine does by itself."""
    time.sleep(5)


@fault()
def workers_killed(stage: Stage) -> None:
    """A worker is killed, ten times."""
    for _ in range(10):
        os.kill(stage.product.workers[0], signal.SIGKILL)
        _until(lambda: len(stage.product.workers) == 2)
        time.sleep(0.5)


@fault()
def master_killed(stage: Stage) -> None:
    """The master is killed; whoever supervises starts another."""
    os.kill(stage.product.master.pid, signal.SIGKILL)
    time.sleep(8)


@fault()
def all_killed(stage: Stage) -> None:
    """Master and workers are killed at once, three times, as by a power cut."""
    for _ in range(3):
        os.killpg(stage.product.master.pid, signal.SIGKILL)
        time.sleep(6)


@fault()
def reloaded(stage: Stage) -> None:
    """HUP, three times, as at an upgrade."""
    for _ in range(3):
        os.kill(stage.product.master.pid, signal.SIGHUP)
        time.sleep(3)


@fault("sqlite")
def write_lock(stage: Stage) -> None:
    """Another program holds SQLite's write lock for 20 s."""
    script = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); time.sleep(20)"
    )
    subprocess.run([sys.executable, "-c", script, str(stage.product.folder / "consent.sqlite3")], check=True)


@fault("sqlite")
def disk_full(stage: Stage) -> None:
    """The file system of the database has no room for 10 s (as root: a file system of its own)."""
    filler = stage.product.folder / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(b"x" * 65536)
                file.flush()
        except OSError:
            pass
    time.sleep(10)
    filler.unlink()


@fault("postgresql")
def table_locked(stage: Stage) -> None:
    """Another session holds `decisions` for 20 s."""
    _hold(stage, "LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(20)")


@fault("postgresql")
def transaction_left_open(stage: Stage) -> None:
    """Another session has written a record's table and sits idle in its transaction for 30 s."""
    _hold(stage, "LOCK TABLE decisions IN ROW EXCLUSIVE MODE; SELECT pg_sleep(30)")


@fault("postgresql")
def database_stopped(stage: Stage) -> None:
    """PostgreSQL is stopped at once, and is back after 10 s."""
    assert stage.postgresql
    stage.postgresql.stop()
    time.sleep(10)
    stage.postgresql.start()


@fault("postgresql")
def host_silent(stage: Stage) -> None:
    """No packet comes back from PostgreSQL's host for 15 s; connections stay open."""
    assert stage.way
    stage.way.silence()
    time.sleep(15)
    stage.way.heal()


@fault("postgresql")
def connections_exhausted(stage: Stage) -> None:
    """Others hold every connection for 10 s, and the server's own are cut."""
    assert stage.postgresql
    held = []
    with ExitStack() as stack:
        stage.postgresql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'bench' AND pid <> pg_backend_pid()"
        )
        while True:
            try:
                connection = psycopg.connect(host=str(stage.postgresql.folder), user="consent", dbname="postgres")
            except psycopg.OperationalError:
                break
            held.append(stack.enter_context(closing(connection)))
        time.sleep(10)


def _hold(stage: Stage, statements: str) -> None:
    assert stage.postgresql
    first, _, rest = statements.partition("; ")
    with stage.postgresql.connected("bench") as connection, connection.transaction():
        connection.execute(first.encode())
        connection.execute(rest.encode())


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP
    while not holds():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.05)


class Clients:
    """Visitors that decide all the time, and two that only look."""

    def __init__(self, product: Product, count: int) -> None:
        self._product, self.seen = product, Seen()
        self._end = threading.Event()
        work = [self._decide] * count + [lambda: self._look(WIDGET), lambda: self._look(HEALTH)]
        self._threads = [threading.Thread(target=run, daemon=True) for run in work]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Whoever waits for an answer still gets it."""
        self._end.set()
        for thread in self._threads:
            thread.join(GIVE_UP)

    def _decide(self) -> None:
        while not self._end.is_set():
            sent = {
                "decision_id": str(uuid4()), "notice": self._product.notice, "action": "refuse_all", "method": "banner",
                "grants": {}, "language": "en", "page": f"{ORIGIN}/pricing",
            }  # fmt: skip
            began = time.monotonic()
            while not self._answered(sent) and time.monotonic() < began + GIVE_UP:
                self._end.wait(0.5)
            self._end.wait(PAUSE)

    def _answered(self, sent: dict[str, Any]) -> bool:
        status, body = self._ask("POST", POST, json.dumps(sent).encode())
        if status in (200, 201):
            self.seen.acknowledge(sent, json.loads(body))
        elif status not in (0, 503):
            self.seen.wrong.append(f"a decision was answered {status}: {body[:200]!r}")
        return status not in (0, 503)

    def _look(self, path: str) -> None:
        while not self._end.is_set():
            status, _ = self._ask("GET", path, None)
            if status not in (0, 200):
                self.seen.wrong.append(f"{path} was answered {status}")
            self._end.wait(LOOK)

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        began, status, read = time.monotonic(), 0, b""
        headers = {"Origin": ORIGIN, "Content-Type": "text/plain"}
        with closing(http.client.HTTPConnection("127.0.0.1", self._product.port, timeout=PATIENCE)) as connection:
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                status, read = answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                status = 0
        self.seen.note(path, status, time.monotonic() - began)
        return status, read


@dataclass
class Outcome:
    """One row of the table."""

    fault: str
    acknowledged: int
    recovered: int
    wrong: list[str]
    statuses: Counter[int]
    waits: dict[str, list[float]]
    recovery: float | None

    def row(self) -> str:
        """The row in Markdown."""
        posts = self.waits.get(POST, [0.0])
        longest = [max(self.waits.get(path, [0.0])) for path in (POST, WIDGET, HEALTH)]
        recovery = "never" if self.recovery is None else f"{self.recovery:.1f}"
        answers = " ".join(f"{status or 'none'}: {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"| {self.fault} | {self.acknowledged:,} | {self.recovered:,} | {len(self.wrong)} | {answers} "
            f"| {_p99(posts):.2f} | {longest[0]:.2f} | {longest[1]:.2f} | {longest[2]:.2f} | {recovery} |"
        )


def _p99(waits: Sequence[float]) -> float:
    return sorted(waits)[math.ceil(len(waits) * 0.99) - 1]


def play(name: str, stage: Stage, clients: int) -> Outcome:
    """One fault, from calm to recovery, and what is there afterwards."""
    product, crowd = stage.product, Clients(stage.product, clients)
    time.sleep(CALM)
    FAULTS[name][1](stage)
    healed = time.monotonic()
    recovery = _recovery(crowd.seen, healed)
    crowd.end()
    seen = crowd.seen
    found = sum(_is_there(product, answer) for answer in seen.acknowledged.values())
    wrong = list(seen.wrong)
    try:
        product.command("ledger", "seal")
        product.command("ledger", "check", SITE)
    except AssertionError as broken:
        wrong.append(f"ledger check: {broken}")
    return Outcome(name, len(seen.acknowledged), found, wrong, seen.statuses, seen.waits, recovery)


def _recovery(seen: Seen, healed: float) -> float | None:
    """Seconds from the end of the fault to the last failure before five seconds without one; None: it never ends."""
    while time.monotonic() < healed + GIVE_UP:
        time.sleep(0.2)
        if time.monotonic() > max(seen.last_failure, healed) + 5:
            return max(0.0, seen.last_failure - healed)
    return None


def _is_there(product: Product, answer: dict[str, Any]) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", product.port, timeout=PATIENCE)) as connection:
        connection.request("GET", urlsplit(answer["receipt_url"]).path, headers={"Accept": "application/jose"})
        read = connection.getresponse()
        return (read.status, read.read().decode()) == (200, answer["receipt"])


@contextmanager
def staged(database: str, name: str) -> Iterator[Stage]:
    """A server with a database of its own, reached through a line that can go silent."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="consent-faults-")))
        if name == "disk-full":
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], check=True)
            stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
        postgresql = way = None
        if database == "postgresql":
            postgresql = PostgreSQL()
            stack.callback(postgresql.remove)
            postgresql.execute("CREATE DATABASE bench")
            way = stack.enter_context(way_to(postgresql.folder))
        url = None if way is None else f"postgresql+psycopg://consent@127.0.0.1:{way.port}/bench"
        product = Product(folder, url)
        stack.callback(product.end)
        _until(lambda: _is_ready(product))
        yield Stage(product, postgresql, way)


def _is_ready(product: Product) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", product.port, timeout=5)) as connection:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
    except OSError:
        return False


def main() -> int:
    """Play them, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=" ".join(FAULTS))
    options = parser.parse_args()
    if unknown := set(options.faults) - FAULTS.keys():
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    broken = False
    for database in options.database or ["sqlite", "postgresql"]:
        print(f"\n{database}\n")
        print(
            "| fault | acknowledged | found | wrong | answers | post p99, s | longest | widget | /healthz | back, s |"
        )
        print("|---|---:|---:|---:|---|---:|---:|---:|---:|---:|")
        for name, (databases, _) in FAULTS.items():
            if database not in databases.split() or (options.faults and name not in options.faults):
                continue
            with staged(database, name) as stage:
                outcome = play(name, stage, options.clients)
            print(outcome.row(), flush=True)
            for line in outcome.wrong[:5]:
                print(f"  wrong: {line}", file=sys.stderr)
            broken = broken or bool(outcome.wrong) or outcome.acknowledged != outcome.recovered
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
