"""The server as it is shipped, for tests that need its processes."""

import http.client
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from consent_server.core.context import Context
from consent_server.core.resources import ROOT
from tests.support.factories import PUBLIC_URL, SHOP

VISITOR = "127.0.0.9"  # loopback too, but not the server's own address, so that it can be told apart in a log


GUNICORN = ("-m", "gunicorn", "wsgi:app")


class Server:
    """A gunicorn on a free port, with its own folder."""

    def __init__(
        self, environ: dict[str, str], folder: Path, command: Sequence[str] = GUNICORN, where: Path = ROOT
    ) -> None:
        self._log = folder / "access.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *command], cwd=where, env=environ, stdout=log,
                stderr=subprocess.PIPE, text=True, start_new_session=True,
            )  # fmt: skip
        self._said: list[str] = []
        # Heard all the time: whoever says more than a pipe holds would wait for it.
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._listening = threading.Event()
        self._ear.start()
        # The socket is listened to before workers are there: whoever connects early only waits.
        assert self._listening.wait(60), self.errors
        assert hasattr(self, "port"), self.errors

    def _listen(self) -> None:
        assert self._process.stderr
        with self._process.stderr as said:
            for line in said:
                self._said.append(line)
                if found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line):
                    self.port = int(found[1])
                    self._listening.set()
        self._listening.set()

    @property
    def errors(self) -> str:
        """What it said so far beside its access lines."""
        return "".join(self._said)

    @property
    def pid(self) -> int:
        """The process id of the master."""
        return self._process.pid

    @property
    def printed(self) -> str:
        """What it printed beside its errors: its access lines among it."""
        return self._log.read_text("utf-8")

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def ask(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, /, **headers: str
    ) -> tuple[int, bytes]:
        """One request by a visitor's browser."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20, source_address=(VISITOR, 0))
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {"Origin": SHOP, "User-Agent": "TELLTALE/1.0", **sent})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def post(self, body: dict[str, object]) -> tuple[int, bytes]:
        return self.ask("POST", "/v1/sites/shop/decisions", json.dumps(body).encode(), Content_Type="text/plain")

    @property
    def workers(self) -> set[int]:
        """The process ids of the workers that are there."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return {int(pid) for pid in children.read_text().split()}

    def reload(self) -> None:
        """Have the master replace every worker."""
        os.kill(self._process.pid, signal.SIGHUP)

    def kill_master(self) -> None:
        """Without a word; its workers are left behind."""
        self._process.kill()
        self._process.wait(timeout=30)

    def kill(self) -> None:
        """As a power cut would: master and workers at once, without a word."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._hear_out()

    def stop(self) -> tuple[list[str], str]:
        """Stop it gracefully; its access lines and whatever it said beside."""
        self._process.terminate()
        self._hear_out()
        return self._log.read_text().splitlines(), self.errors

    def _hear_out(self) -> None:
        self._ear.join(timeout=30)
        self._process.wait(timeout=30)


class Start:
    """Starts servers and remembers them."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self._environ, self._folder = environ, folder
        self.started: list[Server] = []

    def __call__(self, **environ: str) -> Server:
        self.started.append(Server(self._environ | environ, self._folder))
        return self.started[-1]


GunicornConf = Callable[[], dict[str, Any]]


@pytest.fixture
def gunicorn_conf(monkeypatch: pytest.MonkeyPatch) -> GunicornConf:
    """Reads gunicorn's configuration anew. It makes no folder for measures, which this process would then write to."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", f"consent-measures-{os.getpid()}-")
    return partial(runpy.run_module, "consent_server.gunicorn_conf")


@pytest.fixture
def environ(services: Context, tmp_path: Path, dialect: str) -> dict[str, str]:
    """The settings of a server on the database of this test."""
    settings = services.settings
    given = {
        "CONSENT_INSTANCE": str(tmp_path),
        # Of a crowd every client has the same address, and one that is refused at once asks often.
        "CONSENT_RATE_LIMIT": "1000000 per minute",
        "CONSENT_PUBLIC_URL": PUBLIC_URL,
        "CONSENT_SECRET_KEY": settings.secret_key,
        "PORT": "0",
        "PATH": os.environ["PATH"],
    }
    if dialect == "postgresql":
        given["CONSENT_DATABASE_URL"] = settings.database_url
        given["CONSENT_SIGNING_KEYS_FILE"] = str(settings.signing_keys_file)
    return given


@pytest.fixture
def start(environ: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts servers, which end with the test."""
    starter = Start(environ, tmp_path)
    yield starter
    for server in starter.started:
        if server.running:
            server.kill()
