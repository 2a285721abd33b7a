"""Clients who send a byte now and then hold no thread: the banner is there, and theirs are ended."""

import socket
import time

import pytest

from consent_server.http.whole_requests import LARGEST, is_whole
from tests.support.crowd import WIDGET
from tests.support.factories import Body
from tests.support.faults import SlowClients
from tests.support.served import Server, Start

GET = b"GET /widget/shop.js HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/sites/shop/decisions HTTP/1.1\r\nHost: x\r\n"
CHUNKS = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "whole"),
    [
        (b"", False),
        (b"G", False),
        (GET, False),
        (GET + b"\r", False),
        (GET + b"\r\n", True),
        (POST + b"Content-Length: 3\r\n\r\n", False),
        (POST + b"Content-Length: 3\r\n\r\n{}", False),
        (POST + b"content-length:3\r\n\r\n{ }", True),
        (POST + b"Content-Length: 3\r\n\r\n{ }GET", True),
        (POST + b"X: Content-Length: 9\r\n\r\n", True),
        (POST + b"Content-Length: 99999999\r\n\r\n" + b"x" * 100, False),
        (POST + b"Content-Length: 99999999\r\n\r\n" + b"x" * LARGEST, True),
        (CHUNKS + b"2\r\n{}\r\n", False),
        (CHUNKS + b"2\r\n{}\r\n0\r\n\r\n", True),
        (CHUNKS + b"2", False),
        (CHUNKS + b"2;name=value\r", False),
        (CHUNKS + b"2\r\n{", False),
        (CHUNKS + b"2\r\n{}\r\n3\r\n{ }\r\n0\r\n", False),
        (CHUNKS + b"2\r\n{}\r\n3\r\n{ }\r\n0\r\nTrailer: x\r\n", False),
        (CHUNKS + b"2\r\n{}\r\n3\r\n{ }\r\n0\r\nTrailer: x\r\n\r\n", True),
        (CHUNKS + b"5\r\n0\r\n\r\n\r\n", False),
        # None, for a thread to refuse.
        (CHUNKS + b"zz\r\n{}\r\n", True),
        (CHUNKS + b"2\r\n{}TELLTALE\r\n", True),
        (b"x" * LARGEST, True),
    ],
)
def test_when_a_request_has_arrived(sent: bytes, whole: bool) -> None:
    assert is_whole(sent) is whole


def longest_look(server: Server, body: Body, seconds: float) -> float:
    until, longest = time.monotonic() + seconds, 0.0
    while (begun := time.monotonic()) < until:
        assert server.ask("GET", WIDGET)[0] == 200
        assert server.post(body())[0] == 201
        longest = max(longest, time.monotonic() - begun)
    return longest


@pytest.mark.slow
@pytest.mark.usefixtures("before_a_release")
def test_slow_clients_hold_nobody_up(start: Start, body: Body) -> None:
    server = start()
    assert server.ask("GET", WIDGET)[0] == 200
    slow = SlowClients(server.port, heads=64, bodies=64)
    try:
        assert longest_look(server, body, 4) < 2
        assert slow.open == 128
        deadline = time.monotonic() + 25
        while slow.open:
            assert server.ask("GET", "/healthz")[0] == 200
            assert time.monotonic() < deadline, "They are never ended."
    finally:
        slow.close()


@pytest.mark.slow
@pytest.mark.usefixtures("before_a_release")
def test_who_never_closes_holds_nobody_up(start: Start, body: Body) -> None:
    server = start()
    assert server.ask("GET", WIDGET)[0] == 200
    left = [socket.create_connection(("127.0.0.1", server.port), 20) for _ in range(64)]
    try:
        for connection in left:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert longest_look(server, body, 4) < 2
        for connection in left:
            answer = connection.makefile("rb").read()
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b'{"status": "ok"}')
    finally:
        for connection in left:
            connection.close()


@pytest.mark.slow
@pytest.mark.usefixtures("before_a_release")
def test_the_next_master_has_the_port_of_one_that_was_killed(start: Start, body: Body) -> None:
    server = start()
    assert server.post(body())[0] == 201
    # The workers have something to wait for before they end.
    slow = SlowClients(server.port, bodies=4)
    try:
        server.kill_master()
        assert start(PORT=str(server.port)).post(body())[0] == 201
    finally:
        slow.close()
