"""What nginx and Apache keep: as long as the server says, for nobody in particular, and while the server is away.

What was chosen by place is given to nobody elsewhere. Debian's Caddy has no cache.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.servers import ConsentServer
from tests.support.web_servers import OWN, SITE, WebServer

SCRIPT = "/_consent/widget/shop.js"
PLACE = "X-Consent-Place"
# What the server says of a script that was chosen by place, to whoever keeps copies and to nginx.
BY_PLACE = ("private, max-age=300", {"X-Accel-Expires": "300"})
VISITORS = ("US-CA", "FR", "", "US-CA", "FR", "")


class Origin(ThreadingHTTPServer):
    """Says for how long its answers may be kept, and in each how often it was asked and from where."""

    cache = "public, max-age=300, stale-while-revalidate=86400"
    more: Mapping[str, str] = {}
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
        body = f"{self.server.asked} {self.headers.get(PLACE, '')}".strip().encode()
        headers = {
            "Vary": f"Accept-Language, {PLACE}",
            "Content-Type": "text/javascript",
            "Content-Length": str(len(body)),
        }
        self.send_response(200)
        for name, value in {**self.server.more, "Cache-Control": self.server.cache, **headers}.items():
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


def test_a_copy_of_one_place_is_never_anothers_and_nobody_else_keeps_one(origin: Origin) -> None:
    origin.cache, origin.more = BY_PLACE
    # In place of what finds out where somebody is: a header of the network in front, or a module of nginx.
    web = WebServer("nginx", origin.server_port, replaced={'default "";': "default $http_simulated;"})
    try:
        answers = [web.ask("GET", SITE, SCRIPT, headers={"Simulated": place}) for place in VISITORS]
        assert [one.body.decode() for one in answers] == ["1 US-CA", "2 FR", "3", "1 US-CA", "2 FR", "3"]
        assert {one.headers["Cache-Control"] for one in answers} == {origin.cache}
        assert not [one for one in answers if "X-Accel-Expires" in one.headers]
    finally:
        web.stop()


def test_each_visitor_has_the_rule_of_their_place_also_out_of_the_cache(consent: ConsentServer) -> None:
    web = WebServer("nginx", consent.port, replaced={'default "";': "default $http_simulated;"})
    path = "/widget/places.js"
    try:
        for answers in range(2):
            for place in VISITORS[:3]:
                direct = consent.get(path, headers={PLACE: place} if place else {})[1]
                shown = web.ask("GET", OWN, path, headers={"Simulated": place})
                assert shown.body == direct, (answers, place)
                assert shown.headers["Cache-Control"].startswith("private"), place
        script = {place: consent.get(path, headers={PLACE: place})[1] for place in ("US-CA", "FR")}
        assert script["US-CA"] != script["FR"]
        accesses = [json.loads(line) for line in web.logs().splitlines() if line.startswith("{")]
        kept = [access["cache"] for access in accesses if access["path"] == path]
        assert kept == ["MISS"] * 3 + ["HIT"] * 3
    finally:
        web.stop()


def test_what_was_chosen_by_place_is_kept_by_no_cache_that_does_not_know_the_place(
    web: WebServer, origin: Origin
) -> None:
    origin.cache, _ = BY_PLACE
    assert [answered(web) for _ in range(3)] == ["1", "2", "3"]


def test_a_visitor_does_not_say_where_they_are(origin: Origin) -> None:
    for name in ("nginx", "apache", "caddy"):
        web = WebServer(name, origin.server_port)
        try:
            for host, path in ((SITE, f"{SCRIPT}?{name}"), (OWN, f"/widget/shop.js?{name}")):
                answer = web.ask("GET", host, path, headers={PLACE: "US-CA"})
                assert answer.body.decode() == str(origin.asked), name
        finally:
            web.stop()


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
