"""Requests to others are bounded: in time, in length, and in where they go."""

import socket
import threading
from collections.abc import Iterator

import pytest

from consent_server.core import outgoing as outside
from consent_server.core.outgoing import Unanswered, get, post

# How a request without a body ends here: `Connection` is the last header that the library sends.
NO_BODY = b"Connection: close\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\n"


class Host:
    """Sends these bytes to whoever connects, then hangs up, or waits for as long as it is asked."""

    def __init__(self) -> None:
        self.says, self.waits, self.heard = b"", False, b""
        self.over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            while not self.heard.endswith((b"BODY", NO_BODY)):
                self.heard += connection.recv(4096)
            connection.sendall(self.says)
            if self.waits:
                self.over.wait(20)

    def close(self) -> None:
        self.over.set()
        self._thread.join(timeout=20)
        self._socket.close()


@pytest.fixture
def host() -> Iterator[Host]:
    found = Host()
    yield found
    found.close()


def ask(host: Host, most: int = 100) -> outside.Answer:
    return post(host.url, b"BODY", "text/x.sent", most)


def test_an_answer(host: Host) -> None:
    host.says = HEAD + b"Content-Length: 2\r\n\r\nok"
    assert ask(host) == outside.Answer(200, "text/plain", b"ok")
    assert host.heard.startswith(b"POST / HTTP/1.1\r\n")
    assert b"Content-Type: text/x.sent\r\n" in host.heard
    assert b"User-Agent: consent-server\r\n" in host.heard


def test_an_answer_to_a_get(host: Host) -> None:
    host.says = HEAD + b"Content-Length: 2\r\n\r\nok"
    assert get(host.url, 2) == outside.Answer(200, "text/plain", b"ok")
    assert host.heard.startswith(b"GET / HTTP/1.1\r\n")


def test_an_address_is_written_as_a_browser_writes_it(host: Host) -> None:
    host.says = HEAD + b"Content-Length: 2\r\n\r\nok"
    assert get(f"{host.url}caf\u00e9 1?a=%20", 2).status == 200
    assert host.heard.startswith(b"GET /caf%C3%A9%201?a=%20 HTTP/1.1\r\n")


def test_a_long_answer_to_a_get(host: Host) -> None:
    host.says = HEAD + b"\r\nok"
    with pytest.raises(Unanswered, match="longer than 1 bytes"):
        get(host.url, 1)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_an_answer(host: Host, status: int) -> None:
    host.says = f"HTTP/1.1 {status} There\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n".encode()
    assert ask(host).status == status


@pytest.mark.parametrize("length", [b"", b"Content-Length: 101\r\n"])
def test_a_long_answer_is_not_read_to_its_end(host: Host, length: bytes) -> None:
    host.says = HEAD + length + b"\r\n" + b"x" * 101
    with pytest.raises(Unanswered, match="longer than 100 bytes"):
        ask(host)


def test_silence(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "TIMEOUT", 0.1)
    host.waits = True
    with pytest.raises(Unanswered, match="did not answer"):
        ask(host)


def test_a_body_that_stops_half_way(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "TIMEOUT", 0.1)
    host.waits, host.says = True, HEAD + b"Content-Length: 4\r\n\r\nha"
    with pytest.raises(Unanswered, match="did not answer"):
        ask(host)


def test_one_that_never_ends(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "LONGEST", 0)
    host.waits, host.says = True, HEAD + b"Content-Length: 4\r\n\r\nha"
    with pytest.raises(Unanswered, match="took longer"):
        ask(host)


@pytest.mark.parametrize("says", [b"", b"nonsense\r\n\r\n", HEAD + b"Content-Length: 9\r\n\r\ncut"])
def test_what_is_no_answer(host: Host, says: bytes) -> None:
    host.says = says
    with pytest.raises(Unanswered):
        ask(host)


def test_nobody_there() -> None:
    with pytest.raises(Unanswered, match="cannot be reached"):
        post("http://127.0.0.1:9/", b"BODY", "text/plain", 1)
