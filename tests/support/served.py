"""The server as it is shipped, for tests that need its processes."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from consent_server.core.settings import ROOT
from tests.support.factories import SHOP

VISITOR = "127.0.0.9"  # loopback too, but not the server's own address, so that it can be told apart in a log


class Server:
    """A gunicorn on a free port, with its own folder."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self._log = folder / "access.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "wsgi:app"], cwd=ROOT, env=environ, stdout=log,
                stderr=subprocess.PIPE, text=True, start_new_session=True,
            )  # fmt: skip
        self.errors = ""
        # The socket is listened to before workers are there: whoever connects early only waits.
        for line in self._stderr:
            self.errors += line
            if found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                return
        raise AssertionError(self.errors)

    @property
    def _stderr(self) -> IO[str]:
        assert self._process.stderr
        return self._process.stderr

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
        # By the same reader: communicate() with a timeout passes over what this one has read ahead.
        self.errors += self._stderr.read()
        self._stderr.close()
        self._process.wait(timeout=30)
