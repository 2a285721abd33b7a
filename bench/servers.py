"""Servers to measure, each in processes of its own: Flask's hello, the product as shipped, and c15t."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
from tests.support.postgresql import PostgreSQL as PostgreSQL
from tests.support.process import free_port

BIN = Path(sys.executable).parent
SHOP = (ROOT / "bench" / "shop.toml").read_text("utf-8")
TICKS = os.sysconf("SC_CLK_TCK")
C15T = (
    "@c15t/backend@2.2.1", "kysely@0.28.19", "hono@4.13.19", "@hono/node-server@2.1.9",
    "better-sqlite3@12.11.1", "pg@8.23.1",
)  # fmt: skip


@dataclass
class Server:
    """A server, the script and the environment of its load, and the process whose children do the work."""

    name: str
    port: int
    master: int
    script: str = "bench/post_decision.lua"
    environment: Mapping[str, str] = field(default_factory=lambda: {"SITES": "shop none"})

    def processor(self) -> float:
        """Seconds that its workers have used of the processors, ended threads included."""
        return sum(ticks(worker) for worker in self._workers()) / TICKS

    def switches(self) -> int:
        """How often the workers' threads have been switched from and to; a thread that ended is not counted."""
        return sum(_switches(task) for worker in self._workers() for task in Path(f"/proc/{worker}/task").iterdir())

    def _workers(self) -> list[str]:
        return Path(f"/proc/{self.master}/task/{self.master}/children").read_text("ascii").split()


def ticks(process: str) -> int:
    """What a process has used of the processors so far, ended threads included; TICKS are a second."""
    # The name may hold spaces and brackets; what comes after its last bracket does not (proc(5)).
    values = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return int(values[11]) + int(values[12])


def _switches(task: Path) -> int:
    try:
        lines = (task / "status").read_text("utf-8").splitlines()
    except FileNotFoundError:  # it ended since it was listed
        return 0
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)


@contextmanager
def serve_hello(workers: int = 2, threads: int = 1) -> Iterator[Server]:
    """The least that Flask can answer, from synchronous workers or from such as the product has."""
    port = free_port()
    kind = f"{threads} threads" if threads > 1 else "sync"
    command = [BIN / "gunicorn", "--chdir", ROOT, "--config", "/dev/null", "-w", workers, "-b"]
    command += [f"127.0.0.1:{port}", "--threads", threads, "bench.hello:app"]
    with running(list(map(str, command)), dict(os.environ)) as master:
        wait_for(port, "/")
        yield Server(f"Flask hello, {workers} x {kind}", port, master)


@contextmanager
def serve_product(
    name: str, database_url: str | None, workers: int = 2, sites: int = 1, tree: Path = ROOT
) -> Iterator[Server]:
    """The product of a checkout as shipped, with bench/shop.toml under so many keys, on a database of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
        # The load comes "through a proxy", each request from another address: the rate limit works as
        # it does for real visitors.
        environment = dict(os.environ, CONSENT_INSTANCE=folder, CONSENT_TRUSTED_PROXIES="1", PORT=str(port))
        environment |= {"WEB_CONCURRENCY": str(workers), "PYTHONPATH": str(tree)}
        flask = [str(BIN / "flask"), "--app", "wsgi"]
        if database_url:
            keys = Path(folder) / "keys.json"
            keys.write_text(run([*flask, "key", "new"], environment, tree))
            environment |= {
                "CONSENT_DATABASE_URL": database_url,
                "CONSENT_SECRET_KEY": "x" * 40,
                "CONSENT_SIGNING_KEYS_FILE": str(keys),
            }
        run([*flask, "db", "upgrade"], environment, tree)
        files = _site_files(Path(folder), sites)
        printed = run([*flask, "site", "apply", *map(str, files)], environment, tree)
        notices = [line.split()[1] for line in printed.splitlines() if line.startswith("notice ")]
        pairs = "\n".join(f"{file.stem} {notice}" for file, notice in zip(files, notices, strict=True))
        with running([str(BIN / "gunicorn"), "wsgi:app"], environment, tree) as master:
            wait_for(port, "/readyz")
            yield Server(name, port, master, environment={"SITES": pairs})


def _site_files(folder: Path, sites: int) -> list[Path]:
    keys = ["shop", *(f"shop-{number}" for number in range(2, sites + 1))]
    for key in keys:
        (folder / f"{key}.toml").write_text(SHOP.replace('key = "shop"', f'key = "{key}"'))
    return [folder / f"{key}.toml" for key in keys]


def install_c15t(folder: Path) -> None:
    """Install c15t and what it needs from npm. better-sqlite3 is built here, where there is no binary of it."""
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    run(["npm", "install", "--no-audit", "--no-fund", *C15T], dict(os.environ), folder)
    run(["npm", "run", "install"], dict(os.environ), folder / "node_modules" / "better-sqlite3")
    (folder / "server.mjs").write_bytes((ROOT / "bench" / "c15t" / "server.mjs").read_bytes())


@contextmanager
def serve_c15t(name: str, installed: Path, workers: int, postgresql: PostgreSQL | None = None) -> Iterator[Server]:
    """The peer, on SQLite or on a database of PostgreSQL."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="c15t-bench-") as folder:
        environment = dict(os.environ, PORT=str(port), WORKERS=str(workers), FILE=f"{folder}/c15t.sqlite")
        if postgresql:
            environment |= {"SOCKET": str(postgresql.folder), "DATABASE": f"c15t_{port}"}
            postgresql.execute(f"CREATE DATABASE c15t_{port}")
        with running(["node", str(installed / "server.mjs")], environment, installed) as master:
            wait_for(port, "/api/c15t/status")
            yield Server(name, port, master, "bench/c15t/post_consent.lua")


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path = ROOT) -> str:
    """What a program prints. AssertionError with what it complains of when it fails."""
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], folder: Path = ROOT) -> Iterator[int]:
    """A program that runs for the length of the block: the id of its process."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=folder, env=environment, **quiet)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(port: int, path: str) -> None:
    """Return once a server answers, whatever it says."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nothing answers on port {port}")
