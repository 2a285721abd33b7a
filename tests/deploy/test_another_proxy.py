"""A proxy in front of the web server: what docs/servers.md has an operator add, so that visitors are told apart."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.web_servers import OWN, WebServer

ROOT = Path(__file__).parents[2]


class _Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(", ".join(self.headers.get_all("X-Forwarded-For", [])).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of what answers with X-Forwarded-For."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", ["nginx", "apache"])
def test_the_visitor_is_who_the_known_proxy_names_and_nobody_else(name: str, echo: int) -> None:
    row = re.search(rf"^\| {name}, .*$", (ROOT / "docs" / "servers.md").read_text("utf-8"), re.I | re.M)
    assert row
    lines = [line for line in re.findall(r"`([^`]+)`", row[0]) if " " in line and "a2enmod" not in line]
    more = "\n".join(lines).replace("192.0.2.0/24", "127.0.5.0/24")
    web = WebServer(name, echo, f"{more}\n")
    try:
        headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
        assert web.ask("GET", OWN, "/", headers=headers, address="127.0.5.1").body == b"198.51.100.7"
        assert web.ask("GET", OWN, "/", headers=headers, address="127.0.6.1").body == b"127.0.6.1"
    finally:
        web.stop()
