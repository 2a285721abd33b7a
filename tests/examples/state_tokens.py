"""Cookies with state tokens as this server signs them, and as somebody would forge them: vectors.json."""

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

from consent_server.core.keys import KeyRing, new_key_set
from consent_server.decisions.rules_receipt import STATE_TYPE
from tests.support import jose

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
SITE = "shop"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
VENDOR, PURPOSES = "meta-pixel", ["advertising", "functional"]
GRANTS = {"analytics": False, "advertising": True}


def _private(jwks: str) -> dict[str, Any]:
    key: dict[str, Any] = json.loads(jwks)["keys"][0]
    return key


class Signers:
    """A server with four keys, of which the newest signs, and a server that nobody knows.

    One was replaced before keys had an end, one was retired a hundred days ago, one was stolen.
    """

    def __init__(self) -> None:
        self._sets = {name: new_key_set() for name in ("replaced", "retired", "revoked", "newest", "stranger")}
        self._rings = {name: KeyRing.from_jwks(text) for name, text in self._sets.items()}
        replaced, retired, revoked = (
            self._rings[name].public_jwks()["keys"][0] for name in ("replaced", "retired", "revoked")
        )
        retired["exp"] = int(time.time()) - 100 * 86400
        revoked["revoked"] = {"revoked_at": int(time.time())}
        newest = _private(self._sets["newest"])
        self.published = KeyRing.from_jwks(json.dumps({"keys": [replaced, retired, revoked, newest]}))

    def cookies(self, vector: dict[str, Any]) -> str:
        """The Cookie header of a vector."""
        token = self._token(vector)
        value = f"v=1&t=1795453200&p.analytics=0&p.advertising=1&s={token}"
        pattern: str = vector.get("cookie", "eu-consent={value}")
        return pattern.format(value=value, token=token, long="A" * 8000 + token)

    def _token(self, vector: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {
            "site": SITE,
            "notice": "0" * 64,
            "grants": GRANTS,
            "iat": -60,
            "exp": 3600,
            **vector.get("claims", {}),
        }
        dated = {key: now + value if key in ("iat", "exp") and isinstance(value, int) else value
                 for key, value in claims.items() if value is not None}  # fmt: skip
        if "header" in vector or "payload" in vector:
            token = self._forged(vector, vector.get("payload") or json.dumps(dated))
        else:
            token = self._rings[vector.get("signer", "newest")].sign(dated, vector.get("type", STATE_TYPE))
        return _spoil(token, vector.get("spoil"), dated)

    def _forged(self, vector: dict[str, Any], payload: str) -> str:
        """Signed as whoever holds the key could, by which no server of ours would."""
        header = {"alg": "EdDSA", "typ": STATE_TYPE, "kid": self.published.kid, **vector.get("header", {})}
        if header["kid"] == "newest":
            header["kid"] = self.published.kid
        head = json.dumps({name: value for name, value in header.items() if value is not None}).encode()
        if vector.get("signer") == "public key":
            signed = f"{jose.encode(head)}.{jose.encode(payload.encode())}"
            secret = self.published.public_bytes()
            return f"{signed}.{jose.encode(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
        return jose.sign(head, payload.encode(), _private(self._sets[vector.get("signer", "newest")]))


def _spoil(token: str, how: str | None, claims: dict[str, Any]) -> str:
    header, payload, signature = token.split(".")
    match how:
        case None:
            return token
        case "unsigned":
            return f"{header}.{payload}."
        case "payload":
            other = json.dumps({**claims, "exp": claims["exp"] + 1}).encode()
            return f"{header}.{jose.encode(other)}.{signature}"
        case "signature":
            flipped = bytes([jose.decode(signature)[0] ^ 1]) + jose.decode(signature)[1:]
            return f"{header}.{payload}.{jose.encode(flipped)}"
        case "last character":
            # 64 bytes leave four bits of it unused.
            return token[:-1] + ALPHABET[ALPHABET.index(token[-1]) | 1]
        case "padding":
            return f"{token}=="
        case "alphabet":
            bits = jose.encode(b"\xff" * 64)
            return f"{header}.{payload}.{bits.replace('_', '/')}"
        case "two parts":
            return f"{header}.{payload}"
        case "four parts":
            return f"{token}.{signature}"
    raise AssertionError(how)
