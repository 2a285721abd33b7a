"""What `consent doctor` sees of the web server in front, by asking the server at its public address."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.core.context import Context, context_of
from consent_server.health.examine_front import HEADER, examine_front
from consent_server.health.rules_findings import Level
from consent_server.health.rules_front import Seen, front_faults
from tests.support.factories import Clock, settings_for

VISITOR, EDGE = "198.51.100.7", "203.0.113.1"
RIGHT = {"For": VISITOR, "Proto": "http", "Host": "HOST", "Prefix": "/_consent"}

Front = Callable[..., Context]


class Proxy(ThreadingHTTPServer):
    """Hands on to a server, with these headers in place of what it was sent; what has no value it leaves as it came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.client: FlaskClient | None = None
        self.headers: dict[str, str] = {}


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        path = self.path.removeprefix("/_consent")
        if self.server.client is None or path == self.path:
            self.send_response(302 if self.path.startswith("/moved") else 404)
            self.send_header("Location" if self.path.startswith("/moved") else "Server", "https://shop.example/")
            self.end_headers()
            return
        sent = dict(self.headers)
        for name, value in self.server.headers.items():
            sent[f"X-Forwarded-{name}"] = value.replace("HOST", sent["Host"]).replace("SENT", sent["X-Forwarded-For"])
        answer = self.server.client.get(path, headers=sent)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.content_type)
        self.end_headers()
        self.wfile.write(answer.data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    server = Proxy()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Flask]:
    """A server for each number of proxies that are trusted; 0 is a server of somebody else."""
    folder = tmp_path_factory.mktemp("front")
    given = settings_for(folder, f"sqlite:///{folder / 'none.sqlite3'}")
    other = replace(given, secret_key="another secret key of enough characters")
    made = {trusted: replace(given, trusted_proxies=trusted) for trusted in (1, 2)} | {0: other}
    return {trusted: create_app(settings, now=Clock()) for trusted, settings in made.items()}


@pytest.fixture
def front(proxy: Proxy, apps: dict[int, Flask]) -> Front:
    """A server behind the proxy, at a path of its host."""

    def start(trusted: int, path: str = "/_consent", **headers: str) -> Context:
        proxy.client, proxy.headers = apps[trusted].test_client(), headers
        ctx = context_of(apps[trusted])
        ctx.settings = replace(ctx.settings, public_url=f"http://127.0.0.1:{proxy.server_port}{path}")
        return ctx

    return start


def test_a_proxy_that_writes_all_of_it(front: Front) -> None:
    (finding,) = examine_front(front(1, **RIGHT))
    assert finding.level is Level.OK
    # One that adds to what it was sent is as good, where it is counted.
    (finding,) = examine_front(front(1, **RIGHT | {"For": f"SENT, {VISITOR}"}))
    assert finding.level is Level.OK


@pytest.mark.parametrize(
    ("trusted", "changed", "said"),
    [
        (1, {"For": "SENT"}, "No proxy says who asks (X-Forwarded-For)"),
        (2, {"For": f"SENT, {VISITOR}"}, "Visitors choose for themselves the address"),
        (2, {"For": VISITOR}, "CONSENT_TRUSTED_PROXIES is 2, and one proxy adds who asks. So none is believed"),
        (1, {"For": f"SENT, {VISITOR}, {EDGE}"}, "2 proxies add who asks. So one of them is taken"),
        (1, {"Proto": "https"}, "It was asked by http, and is told https (X-Forwarded-Proto)"),
        (1, {"Host": "inner:8000"}, "and is told inner:8000 (X-Forwarded-Host)"),
        (1, {"Prefix": ""}, "It was asked below /_consent, and is told / (X-Forwarded-Prefix)"),
    ],
)
def test_a_proxy_that_does_not(front: Front, trusted: int, changed: dict[str, str], said: str) -> None:
    twice = {name: f"{value}, {value}" for name, value in RIGHT.items()} if trusted == 2 else RIGHT
    (finding,) = examine_front(front(trusted, **twice | changed))
    assert finding.level is Level.WRONG
    assert said in finding.said


def test_one_host_in_two_spellings_is_one() -> None:
    seen = Seen("https", "shop.example", "/_consent", addresses=1, kept=False, believed=False)
    assert list(front_faults("https://Shop.example:443/_consent", 1, seen)) == []
    (said,) = front_faults("https://shop.example/_consent", 1, replace(seen, host="shop.example:x"))
    assert "X-Forwarded-Host" in said


@pytest.mark.parametrize(
    ("path", "said"),
    [("/moved", "leads to https://shop.example/: is that the address"), ("/elsewhere", "/healthz there answers 404")],
)
def test_an_address_that_does_not_lead_here(front: Front, path: str, said: str) -> None:
    (finding,) = examine_front(front(1, path, **RIGHT))
    assert finding.level is Level.WRONG
    assert said in finding.said


def test_another_server_and_none(front: Front, proxy: Proxy, apps: dict[int, Flask]) -> None:
    ctx = front(1, **RIGHT)
    proxy.client = apps[0].test_client()
    (finding,) = examine_front(ctx)
    assert "Another consent server answers there" in finding.said
    ctx.settings = replace(ctx.settings, public_url="http://127.0.0.1:1")
    (finding,) = examine_front(ctx)
    assert (finding.level, "was not looked at" in finding.said) == (Level.NOTE, True)


def test_nobody_else_is_told_how_a_request_came(front: Front, proxy: Proxy) -> None:
    clock = Clock()
    ctx = front(1, **RIGHT)
    assert proxy.client
    late = ctx.signer("doctor").sign(str(int(clock().timestamp()) - 61))
    for question in ("", "x", f"{int(clock().timestamp())}.x", late, ctx.signer("receipt").sign("1")):
        assert proxy.client.get("/healthz", headers={HEADER: question}).get_json() == {"status": "ok"}
