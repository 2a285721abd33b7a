"""A small OpenID provider on a loopback address: real requests, real signatures, and forgeries on demand."""

import json
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support.factories import Clock

CLIENT, SECRET = "consent at shop", "a client's secret: + / ="
Claims = dict[str, Any]


def signed(claims: Claims, key: RSAKey) -> str:
    """An id token as an honest provider makes it."""
    return str(jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key))


@dataclass
class Provider:
    """Who is signed in there, and how it makes its tokens: `change` the claims, or `make` something else of them."""

    clock: Clock
    subject: str = "248289761001"
    email: str = "ada@example.org"
    verified: Any = True
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    change: Callable[[Claims], object] = lambda claims: None
    make: Callable[[Claims, RSAKey], str] = signed
    metadata: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                if url.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(query))
                    self.end_headers()
                    return
                pages = {"/.well-known/openid-configuration": provider.describe(), "/keys": provider.keys()}
                self.answer(200 if url.path in pages else 404, pages.get(url.path, {}))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self.answer(*provider.redeem(form, self.headers["Authorization"] or ""))

            def answer(self, status: int, document: dict[str, Any]) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        """Its name, which is where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def describe(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0."""
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": self.issuer, **{name: f"{self.issuer}/{path}" for name, path in places.items()},
                **self.metadata}  # fmt: skip

    def keys(self) -> dict[str, Any]:
        """Its public keys."""
        return {"keys": [self.key.as_dict(private=False)]}

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert (query["response_type"], query["client_id"]) == ("code", CLIENT)
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code {len(self.codes)} of {self.subject}"
        self.codes[code] = query
        back = urlencode({"code": code, "state": query["state"], "iss": self.issuer})
        return f"{query['redirect_uri']}?{back}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """A code for tokens, once, for who has the client's secret and knows what the code was asked with."""
        user, _, password = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (unquote(user), unquote(password)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        query = self.codes.pop(form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if query is None or query["code_challenge"] != challenge or query["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(self.clock().timestamp())
        claims = {"iss": self.issuer, "sub": self.subject, "aud": CLIENT, "exp": now + 300, "iat": now,
                  "nonce": query["nonce"], "email": self.email, "email_verified": self.verified}  # fmt: skip
        self.change(claims)
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.make(claims, self.key)}

    def visited(self, address: str) -> str:
        """Where a browser that comes by this address is sent back to: path and query."""
        parts = urlsplit(address)
        assert parts.netloc == urlsplit(self.issuer).netloc
        connection = HTTPConnection(parts.netloc)
        connection.request("GET", f"{parts.path}?{parts.query}")
        back = urlsplit(connection.getresponse().headers["Location"])
        connection.close()
        assert f"{back.scheme}://{back.netloc}" == "https://consent.example"
        return f"{back.path}?{back.query}"
