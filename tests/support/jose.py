"""Compact JWS by hand, so that what the server signs is checked by code that is not the server's."""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(segment: str) -> bytes:
    """The bytes of a segment."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def header(token: str) -> dict[str, Any]:
    """The protected header, unchecked."""
    found: dict[str, Any] = json.loads(decode(token.split(".")[0]))
    return found


def claims(token: str) -> dict[str, Any]:
    """The payload, unchecked."""
    found: dict[str, Any] = json.loads(decode(token.split(".")[1]))
    return found


def public_key(jwk: dict[str, Any]) -> Ed25519PublicKey:
    """The key that a JWK holds (RFC 8037)."""
    assert (jwk["kty"], jwk["crv"]) == ("OKP", "Ed25519")
    return Ed25519PublicKey.from_public_bytes(decode(jwk["x"]))


def verifies(token: str, jwk: dict[str, Any]) -> bool:
    """Whether the key signed the token."""
    signed, _, signature = token.rpartition(".")
    try:
        public_key(jwk).verify(decode(signature), signed.encode())
    except InvalidSignature:
        return False
    return True


def sign(head: bytes, payload: bytes, jwk: dict[str, Any]) -> str:
    """A token of exactly these bytes, as someone who holds the private key could make it."""
    key = Ed25519PrivateKey.from_private_bytes(decode(jwk["d"]))
    signed = f"{encode(head)}.{encode(payload)}"
    return f"{signed}.{encode(key.sign(signed.encode()))}"
