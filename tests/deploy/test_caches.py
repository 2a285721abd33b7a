"""What nginx and Apache keep: as long as the server says, for nobody in particular, and while the server is away.

Debian's Caddy has no cache.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.web_servers import SITE, WebServer

SCRIPT = "/_consent/widget/shop.js"


class Origin(ThreadingHTTPServer):
    """Says for how long its answers may be kept, and in each how often it was asked."""

    cache = "public, max-age=300, stale-while-revalidate=86400"
    asked = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._thread = threading.Thread(target=self.serve_forever)
        self._thread.start()

    def go_away(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Origin

    def do_GET(self) -> None:
        if "widget" in self.path:
            self.server.asked += 1
            self.server.may_answer.wait(30)
        body = str(self.server.asked).encode()
        headers = {"Vary": "Accept-Language", "Content-Type": "text/javascript", "Content-Length": str(len(body))}
        self.send_response(200)
        for name, value in {"Cache-Control": self.server.cache, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[Origin]:
    served = Origin()
    yield served
    served.go_away()


@pytest.fixture(params=["nginx", "apache"])
def web(request: pytest.FixtureRequest, origin: Origin) -> Iterator[WebServer]:
    server = WebServer(request.param, origin.server_port)
    yield server
    server.stop()


def answered(web: WebServer, path: str = SCRIPT, language: str = "en", **headers: str) -> str:
    """The body of an answer that is one."""
    answer = web.ask("GET", SITE, path, headers={"Accept-Language": language, **headers})
    assert answer.status == 200
    return answer.body.decode()


def test_what_is_public_is_asked_for_once_and_nothing_else_is_kept(web: WebServer, origin: Origin) -> None:
    assert [answered(web) for _ in range(3)] == ["1", "1", "1"]
    assert [answered(web, language="fr") for _ in range(2)] == ["2", "2"]
    assert answered(web, f"{SCRIPT}?lang=fr") == "3"
    for number, said in enumerate(("private, no-store", "no-store", "no-cache", "max-age=0")):
        origin.cache, path = said, f"{SCRIPT}?{number}"
        first = int(answered(web, path))
        assert answered(web, path) == str(first + 1), said


def test_what_is_stale_is_shown_while_a_newer_one_is_fetched_and_while_there_is_none(
    web: WebServer, origin: Origin
) -> None:
    origin.cache = "public, max-age=1, stale-while-revalidate=86400"
    assert answered(web) == "1"
    origin.may_answer.clear()
    with ThreadPoolExecutor(4) as visitors:
        web.wait_for(lambda: (visitors.submit(answered, web), origin.asked)[1] > 1)
        # Behind Apache one of them waits for the newer one; nobody else does.
        assert answered(web) == "1"
        origin.may_answer.set()
    web.wait_for(lambda: answered(web) == "2")
    origin.go_away()
    stale_at = time.monotonic() + 2
    web.wait_for(lambda: answered(web) == "2" and time.monotonic() > stale_at)
