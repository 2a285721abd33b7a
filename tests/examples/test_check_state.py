"""The back ends' checks of the state token: the same cookies, the same answers, whatever the language."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkers import COMMANDS, Checker

from .state_tokens import PURPOSES, SITE, VECTORS, VENDOR, Signers


class KeyServer(ThreadingHTTPServer):
    """Publishes a key set at a path of a host, and counts who asks."""

    daemon_threads = True

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _KeyHandler)
        self.body, self.status, self.asked = body, 200, 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """As CONSENT_PUBLIC_URL would have it."""
        return f"http://127.0.0.1:{self.server_port}/_consent"


class _KeyHandler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        assert self.path == "/_consent/.well-known/jwks.json"
        self.server.asked += 1
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/jwk-set+json")
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def signers() -> Signers:
    return Signers()


@pytest.fixture
def keys(signers: Signers) -> Iterator[KeyServer]:
    server = KeyServer(json.dumps(signers.published.public_jwks()).encode())
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def granted(signers: Signers) -> str:
    """The Cookie header of a visitor who agreed."""
    return signers.cookies(VECTORS[0])


def test_every_vector_has_its_answer(checker: Checker, signers: Signers, keys: KeyServer) -> None:
    cookies = [signers.cookies(vector) for vector in VECTORS]
    answers = checker.answers(keys.url, SITE, VENDOR, PURPOSES, cookies)
    wrong = [vector["name"] for vector, answer in zip(VECTORS, answers, strict=True)
             if answer is not vector.get("allowed", False)]  # fmt: skip
    assert wrong == []
    # The key that nobody knows is not asked for again within five minutes.
    assert keys.asked == 1


@pytest.mark.parametrize(("body", "status"), [(b"<html>", 200), (b'{"keys": [{}]}', 200), (None, 503)])
def test_nothing_is_allowed_without_keys(
    checker: Checker, keys: KeyServer, granted: str, body: bytes | None, status: int
) -> None:
    keys.body, keys.status = body or keys.body, status
    assert checker.answers(keys.url, SITE, VENDOR, PURPOSES, [granted]) == [False]


def test_a_server_that_is_away_allows_nothing(checker: Checker, granted: str) -> None:
    assert checker.answers("http://127.0.0.1:1", SITE, VENDOR, PURPOSES, [granted]) == [False]


def test_a_key_for_another_use_is_no_key(checker: Checker, keys: KeyServer, granted: str) -> None:
    changes: list[dict[str, Any]] = [
        {"alg": "ES256"}, {"crv": "X25519"}, {"kty": "EC"}, {"kid": "another"}, {"exp": "soon"}, {"exp": 1.5},
        {"exp": 1}, {"revoked": {"revoked_at": 1}}, {"revoked": {}},
    ]  # fmt: skip
    published = json.loads(keys.body)["keys"]
    keys.body = json.dumps({"keys": [{**key, **change} for key in published for change in changes]}).encode()
    assert checker.answers(keys.url, SITE, VENDOR, PURPOSES, [granted]) == [False]


def test_php_keeps_the_keys_from_request_to_request(
    monkeypatch: pytest.MonkeyPatch, keys: KeyServer, granted: str, tmp_path: Path, signers: Signers
) -> None:
    monkeypatch.setenv("KEYS_FILE", str(tmp_path / "keys.json"))
    for _ in range(2):
        assert Checker(COMMANDS["PHP"]).answers(keys.url, SITE, VENDOR, PURPOSES, [granted]) == [True]
    assert keys.asked == 1
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    # With the end of each: a token that is dated after it holds in no request.
    late = [signers.cookies(vector) for vector in VECTORS if vector.get("signer") == "retired"]
    for _ in range(2):
        answers = Checker(COMMANDS["PHP"]).answers(keys.url, SITE, VENDOR, PURPOSES, late)
        assert answers == [True, True, False, False]
    assert keys.asked == 1
