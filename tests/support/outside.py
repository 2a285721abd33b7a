"""A visitor's browser and an auditor who know nothing of the server but its address."""

import json
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from consent_server.core.hashes import sha256_hex

PAGE = "http://127.0.0.1:8001"  # an origin of the example site


@dataclass
class Outside:
    """Whoever asks at one address."""

    url: str
    site: str = "callbell"

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """One request as a page of the site sends it: its status and its answer."""
        parts = urlsplit(self.url)
        connection = self._connect(parts.scheme, parts.hostname or "", parts.port)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Origin": PAGE, "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    @staticmethod
    def _connect(scheme: str, host: str, port: int | None) -> HTTPConnection:
        if scheme == "http":
            return HTTPConnection(host, port, timeout=30)
        # Of a server that signs for itself: asked is whether it speaks TLS at all.
        return HTTPSConnection(host, port, timeout=30, context=ssl._create_unverified_context())

    def decide(self) -> dict[str, Any]:
        """Accept all that the notice asks for; what was posted."""
        status, notice = self.ask("GET", f"/v1/sites/{self.site}/notice")
        assert status == HTTPStatus.OK, notice
        return {
            "decision_id": str(uuid4()), "notice": sha256_hex(notice), "action": "accept_all", "method": "banner",
            "grants": {purpose["key"]: True for purpose in json.loads(notice)["purposes"]}, "vendors": {},
            "visitor": None, "change": False, "language": "en", "page": f"{PAGE}/", "gpc": False,
        }  # fmt: skip

    def record(self, decision: dict[str, Any], expected: HTTPStatus = HTTPStatus.CREATED) -> str:
        """Post a decision; its receipt."""
        status, answer = self.ask("POST", f"/v1/sites/{self.site}/decisions", decision)
        assert status == expected, (status, answer)
        return str(json.loads(answer)["receipt"])

    def verify(self, receipt: str) -> dict[str, bool]:
        """What the server says of a receipt, by check."""
        status, answer = self.ask("POST", "/v1/receipts/verify", {"receipt": receipt})
        assert status == HTTPStatus.OK, answer
        return {check["name"]: check["ok"] for check in json.loads(answer)["checks"]}
