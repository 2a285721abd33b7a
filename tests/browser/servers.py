"""The two servers of a browser test: a real consent server, and the pages of a site on another origin."""

import atexit
import base64
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from consent_server.app import create_app
from consent_server.core.context import context_of
from consent_server.core.rows import SiteRow
from consent_server.core.settings import Settings
from consent_server.decisions import store as decisions
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules_tally import counters_of
from consent_server.rates.read import RatesReader
from consent_server.rates.rules_filters import By, Filters, Span
from consent_server.sites.publish import publish_notice
from consent_server.sites.site_file import read_site_file
from tests.support.certificate import make_certificate
from tests.support.process import free_port
from tests.support.rates_page import end_days

ROOT = Path(__file__).parents[2]
START_SECONDS = 30


class ConsentServer:
    """gunicorn and SQLite, as shipped, with one worker."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")},
            "CONSENT_INSTANCE": str(folder / "instance"),
            "CONSENT_RATE_LIMIT": "100000 per minute",
            # What a proxy in front would say; a browser that says it in a test is in that place.
            "CONSENT_COUNTRY_HEADER": "X-Place",
            "CONSENT_TRUSTED_PROXIES": "1",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "1",
            **environ,
        }

    def prepare(self, *site_files: str) -> None:
        """Bring what the migrations make, and apply the sites."""
        with self._application() as app, app.app_context():
            shutil.copy(_migrated(), self.folder / "instance")
            for text in site_files:
                _apply(app, text)

    def apply(self, site_file: str) -> None:
        """Put a site's notice in force; a server that runs follows within seconds."""
        with self._application() as app:
            _apply(app, site_file)

    def wait_for_notice(self, site: str, text: str) -> None:
        """Return once the notice that is served holds this text."""
        self.wait_for(lambda: text in self.get(f"/v1/sites/{site}/notice")[1].decode())

    def wait_for(self, holds: Callable[[], object]) -> None:
        """Return once this holds."""
        wait = threading.Event()
        for _ in range(START_SECONDS * 20):
            if holds():
                return
            wait.wait(0.05)
        raise AssertionError("what was waited for never came")

    def command(self, *arguments: str, code: int = 0) -> str:
        """What a command prints that ends with this code."""
        with self._application() as app:
            done = app.test_cli_runner().invoke(args=arguments)
        assert done.exit_code == code, done.output
        return done.stdout

    @contextmanager
    def _application(self) -> Iterator[Flask]:
        """What a command is run by; in this process, since another would take seconds to start."""
        app = create_app(Settings.from_env(self._environment))
        yield app
        context_of(app).database.engine.dispose()

    def start(self) -> None:
        """Return once it answers."""
        log = (self.folder / "server.log").open("ab")
        command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        wait = threading.Event()
        for _ in range(START_SECONDS * 20):
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "server.log").read_text("utf-8")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    break
            except OSError:
                wait.wait(0.05)
        assert self.get("/readyz")[0] == 200

    def stop(self) -> None:
        """As when the machine goes away: what was answered is durable, the rest is lost."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with closing(connection):
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def counted(self, site: str, dimension: str = "day") -> dict[str, int]:
        """What each counter of a site stands at, folded or not; `dimension` "pages" has those of page loads."""
        query = """SELECT outcome, counter, sum(count) FROM (
            SELECT site_id, outcome, NULL AS counter, count FROM tallies
                WHERE (substr(outcome, 1, 5) = 'page_') = (? = 'pages') UNION ALL
            SELECT site_id, NULL, counter, count FROM roll_ups WHERE dimension IN (?, ?, ?, ?)
                AND counter NOT LIKE 'draws%'
        ) JOIN sites ON sites.id = site_id WHERE key = ? GROUP BY outcome, counter"""
        places = ("page", "pages", "", "") if dimension == "pages" else ("day", "days", "selection", "selections")
        found: Counter[str] = Counter()
        for outcome, counter, count in self._rows(query, dimension, *places, site):
            names = [counter] if counter else [name.text for name in counters_of(outcome)]
            found.update(dict.fromkeys(names, count))
        return dict(found)

    def end_days(self) -> None:
        """As if today were over: what was counted so far is told, without noise."""
        with self._application() as app:
            end_days(context_of(app))

    def rates(self, site: str) -> dict[str, Any]:
        """What a marketer is told of the last 28 days of a site, once today is over."""
        self.end_days()
        with self._application() as app, context_of(app)[RatesReader].site(site) as found:
            return found.rates(Filters(Span.ending(found.today, 28), By.DAY, None, None)).to_json()

    def receipts(self, site: str) -> list[dict[str, Any]]:
        """The claims of every recorded decision of a site, oldest first."""
        query = select(DecisionRow).join(SiteRow, SiteRow.id == DecisionRow.site_id).where(SiteRow.key == site)
        engine = create_engine(f"sqlite:///file:{self.folder}/instance/consent.sqlite3?mode=ro&uri=true")
        with Session(engine) as session:
            rows = session.scalars(query.order_by(DecisionRow.id)).all()
            records = decisions.opened(session, rows)
        engine.dispose()
        return [_claims(record.receipt) for record in records]

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        address = f"file:{self.folder}/instance/consent.sqlite3?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as database:
            return database.execute(query, values).fetchall()


@cache
def _migrated() -> Path:
    """An SQLite file with every migration, made once a process."""
    folder = Path(tempfile.mkdtemp(prefix="consent-migrated-"))
    atexit.register(shutil.rmtree, folder)
    app = create_app(Settings.from_env({"CONSENT_INSTANCE": str(folder)}))
    with app.app_context():
        upgrade()
    context_of(app).database.engine.dispose()
    return folder / "consent.sqlite3"


def _apply(app: Flask, site_file: str) -> None:
    context = context_of(app)
    url, now = context.settings.public_url, context.now()
    publish_notice(context.database, read_site_file(site_file), url, now, text=site_file)


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


@dataclass
class Answer:
    """One page or file of the site."""

    body: str
    kind: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)


class PageServer(ThreadingHTTPServer):
    """A site's pages from strings, over TLS; `/_consent/` is handed on to the consent server."""

    daemon_threads = True

    def __init__(self, folder: Path, host: str, port: int, consent_port: int) -> None:
        super().__init__(("127.0.0.1", port), _PageHandler)
        self.answers: dict[str, Answer] = {}
        self.consent_port = consent_port
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(make_certificate(folder, host))
        # The handshake belongs to the connection's own thread: a slow one must not keep others out.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closes a connection early is no fault."""


class _PageHandler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/_consent/"):
            self._hand_on()
            return
        answer = self.server.answers.get(path) or Answer("", "text/plain")
        headers = {"Content-Type": f"{answer.kind}; charset=utf-8", "Cache-Control": "no-store"} | answer.headers
        self._send(200, headers, answer.body.encode())

    def do_POST(self) -> None:
        if self.path in self.server.answers:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()
            return
        self._hand_on()

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        # As docs/deploy.md says that a proxy does.
        of_proxy = {
            "For": self.client_address[0],
            "Proto": "https",
            "Host": self.headers["Host"],
            "Prefix": "/_consent",
        }
        headers |= {f"X-Forwarded-{name}": value for name, value in of_proxy.items()}
        # Closed also where the page is gone before its answer: a socket that is left fails whichever test runs next.
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.consent_port, timeout=10)) as connection:
            connection.request(self.command, self.path.removeprefix("/_consent"), body, headers)
            answer = connection.getresponse()
            content = answer.read()
        hop = ("connection", "transfer-encoding", "content-length")
        passed = {name: value for name, value in answer.getheaders() if name.lower() not in hop}
        self._send(answer.status, passed, content)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""
