"""gunicorn: two workers of ten threads, each worker on a core of its own.

`consent serve` runs this file as a program, in a process that has imported nothing else: what is set here has to be
there before anything reads it. `gunicorn wsgi:app` in a checkout has it from gunicorn.conf.py.
"""

import fcntl
import gc
import glob
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from consent_server.core.rules_address import host_and_port

# Where each worker keeps what it measured, set before anything reads it. A new binary inherits the name of another's.
# In memory: the files are mapped, and whoever writes to a mapped file that finds no place on the disk is killed.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()  # noqa: S108  mkdtemp makes it safe


def forget_measures() -> None:
    """Remove what servers left that were killed, and so could not.

    Whoever is alive holds a lock on theirs. Process ids say nothing: a container has others, and may share the memory.
    """
    for folder in glob.glob(f"{MEMORY}/consent-measures-*-*"):
        with suppress(OSError):
            os.close(_locked(folder))
            shutil.rmtree(folder, ignore_errors=True)


def make_measures() -> str:
    """A folder of this server's own, locked for as long as it or a worker of it lives."""
    while True:
        folder = tempfile.mkdtemp(prefix=_measures, dir=MEMORY)
        with suppress(OSError):
            _locked(folder)
            # Another server may have come between, and have taken it for one that was left.
            if os.path.isdir(folder):
                return folder


def _locked(folder: str) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


_measures = f"consent-measures-{os.getpid()}-"
if not os.path.basename(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")).startswith(_measures):
    forget_measures()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = make_measures()

bind = host_and_port(os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000"))
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "consent_server.http.whole_requests.WholeRequests"  # gthread, beside which slow clients wait
threads = 10  # core/database.py lets eight of them wait for the database
preload_app = True
timeout = 30
graceful_timeout = 15
keepalive = 5
control_socket_disable = True  # nothing listens but the one port
accesslog = "-"
# Which scheme a request came by is said by as many proxies as are trusted (CONSENT_TRUSTED_PROXIES), and by no other.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}

ADDRESS = re.compile(r" from ip=\S*")
# What no line keeps of a path: what opens something, and what names a visitor's record after its erasure.
LEFT_OUT = (
    (re.compile(r"(?i)(/v1/+receipts/+)(?!verify$)[^/]+"), r"\1…"),
    (re.compile(r"(?i)(/reports/+)[^/]+"), r"\1…"),
    (re.compile(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "…"),
    (re.compile(r"[^/]*\.[\w-]{27,}[^/]*"), "…"),  # anything signed, wherever it was pasted
    (re.compile(r";.*"), ";…"),  # parameters of a path are as good as a query
)


def path_without_secrets(path: str) -> str:
    """A path as the log has it."""
    for pattern, kept in LEFT_OUT:
        path = pattern.sub(kept, path)
    return path


class JsonLogger(Logger):  # type: ignore[misc]
    """Access lines as JSON: what was asked and answered, never who asked.

    No address, no user agent, no query, no signed link, no receipt.
    """

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """gunicorn names the address of whoever sends a malformed request."""
        super().warning(ADDRESS.sub("", msg % args if args else msg).replace("%", "%%"), **kwargs)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": environ["REQUEST_METHOD"],
            "path": path_without_secrets(environ["PATH_INFO"]),
            "status": int(resp.status_code),
            "bytes": resp.sent,
            "ms": round(request_time.total_seconds() * 1000, 1),
        }
        self.access_log.info(json.dumps(line).replace("\x7f", "\\u007f"))


logger_class = JsonLogger


def when_ready(server: Any) -> None:
    """Refuse a database that cannot hold a ledger, read the sites, and warn of settings that have no effect.

    A worker that starts later needs no database for the sites.

    What is loaded now stays for good: looking through it for garbage stops a worker for some 70 ms each time.
    """
    from consent_server.core.errors import StorageUnavailable, UnsuitableDatabase
    from consent_server.core.settings import say_unknown_settings

    app = server.app.wsgi()
    try:
        with app.extensions["consent"].database.reading() as session:
            session.connection()
    except UnsuitableDatabase as refusal:
        sys.exit(refusal.detail)
    except StorageUnavailable as refusal:
        # It may come back, and is no reason not to serve the banner.
        server.log.warning("%s", refusal.detail)
    look_at_sites(app)
    let_go(app)
    for sentence in say_unknown_settings():
        server.log.warning("%s", sentence)
    gc.collect()
    gc.freeze()


def let_go(app: Flask) -> None:
    """Close what the master has opened: a worker is a copy of it, and has no part in its connections.

    SQLite keeps in memory which locks its connections hold on the log. In a copy made while one reads or writes, that
    one would seem to hold them for good (https://www.sqlite.org/howtocorrupt.html, section 2.6).
    """
    from consent_server.sites.current_site import FIRST_LOOK, CurrentSites

    app.extensions["consent"][CurrentSites].finish(FIRST_LOOK)
    app.extensions["consent"].database.engine.dispose()


def look_at_sites(app: Flask) -> bool:
    """Whether all sites are in memory as the database has them."""
    from consent_server.sites.current_site import FIRST_LOOK, CurrentSites

    sites: CurrentSites = app.extensions["consent"][CurrentSites]
    return sites.look(FIRST_LOOK)


def post_worker_init(worker: Any) -> None:
    """What runs by itself begins in each worker; what one of a machine can do alone waits in the others."""
    from consent_server.worker import start

    app = worker.app.wsgi()
    look_at_sites(app)
    start(app.extensions["consent"])


def worker_exit(server: Any, worker: Any) -> None:
    """What a worker counted goes into the database before it ends."""
    from consent_server.decisions.count_refused import RefusedPosts

    worker.app.wsgi().extensions["consent"][RefusedPosts].try_write()


def on_exit(server: Any) -> None:
    """Leave no log beside the database, and none of the workers' measures.

    Here, where every worker has ended, however it did: what one of them does by itself may write until its very end.
    """
    server.app.wsgi().extensions["consent"].database.close()
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def pre_fork(server: Any, worker: Any) -> None:
    """Choose the new worker's core, while its siblings and their cores are at hand.

    A reload starts the new workers beside the old ones; gunicorn then ends the oldest.
    """
    let_go(server.app.wsgi())
    if not hasattr(os, "sched_setaffinity"):
        return
    siblings = sorted(server.WORKERS.values(), key=lambda sibling: sibling.age, reverse=True)
    # A sibling from before a reload of this file may have none.
    taken = [getattr(sibling, "core", None) for sibling in siblings]
    worker.core = choose_core(os.sched_getaffinity(0), taken[: server.num_workers - 1], taken)


def choose_core(cores: Iterable[int], kept: Sequence[int | None], taken: Sequence[int | None]) -> int:
    """The core with the fewest of the workers that stay; among such, the one with the fewest at the moment."""
    staying, living = Counter(kept), Counter(taken)
    return min(cores, key=lambda core: (staying[core], living[core], core))


def post_fork(server: Any, worker: Any) -> None:
    """Connections are not shared between processes, and two workers do not share a core while one is free.

    Threads of one process take turns on the interpreter; left unpinned, two such processes fall into
    states in which each waits for the other's core.
    """
    server.app.wsgi().extensions["consent"].disconnect()
    if hasattr(worker, "core"):
        with suppress(OSError):  # a sandbox may forbid it, and slower is better than not at all
            os.sched_setaffinity(0, {worker.core})


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with this file for its configuration. The working folder is not searched for code."""

    def load_config(self) -> None:
        for name, value in globals().items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        from consent_server.app import start

        return start()


if __name__ == "__main__":
    # What a new binary is started with (SIGUSR2): this file's own folder must not be where modules are looked for.
    sys.argv[:] = ["-P", "-m", "consent_server.gunicorn_conf"]
    Server().run()
