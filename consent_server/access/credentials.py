"""What people and programs prove themselves with: passwords, one-time links, tokens."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from threading import BoundedSemaphore
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadData, URLSafeSerializer

from consent_server.core.errors import TooManyRequests

# OWASP's first choice of Argon2id with little memory. Two at once in a process: the other threads are for visitors.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
TOKEN_BYTES = 32
_AT_ONCE = BoundedSemaphore(2)
# Seconds that a password waits for its turn.
PATIENCE = 2.0


def hash_password(password: str) -> str:
    """Argon2id (RFC 9106) with a salt of its own. Raises TooManyRequests."""
    with _turn():
        return _HASHER.hash(password)


def password_matches(encoded: str | None, password: str) -> bool:
    """Whether a password is the hashed one. Without a hash the same work is done for nothing.

    So the time of an answer does not tell whether an account exists. Raises TooManyRequests.
    """
    hashed = encoded or nobodys_hash()
    try:
        with _turn():
            _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
    return encoded is not None


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=PATIENCE):
        raise TooManyRequests("Many people sign in at this moment. Try again in a few seconds.", 5)
    try:
        yield
    finally:
        _AT_ONCE.release()


@cache
def nobodys_hash() -> str:
    """The hash of a password that nobody knows. Made when the server starts, not at the first wrong guess."""
    return hash_password(secrets.token_urlsafe(TOKEN_BYTES))


def new_token() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """What is kept of a token: SHA-256 is enough, since nobody can guess 256 bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


class OneTimeLinks:
    """Signs who a link is for, which of their links, and until when it holds. Using it up is the caller's part."""

    def __init__(self, secret_key: str) -> None:
        self._serializer = URLSafeSerializer(
            secret_key, salt="one-time-link", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )

    def sign(self, user_id: int, nonce: bytes, until: datetime) -> str:
        """The part of the link that proves it."""
        return str(self._serializer.dumps([user_id, nonce.hex(), int(until.timestamp())]))

    def read(self, link: str, now: datetime) -> tuple[int, bytes] | None:
        """User and nonce of a link that is ours and still holds, else None."""
        try:
            user_id, nonce, until = self._serializer.loads(link)
        except (BadData, ValueError):
            return None
        return (user_id, bytes.fromhex(nonce)) if int(now.timestamp()) <= until else None


class ReportLinks:
    """Signs what a report shows and until when. A link ends by its time, by itself, or with the secret key."""

    def __init__(self, secret_key: str) -> None:
        self._serializer = URLSafeSerializer(
            secret_key, salt="report-link", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )

    def sign(self, subject: dict[str, Any], until: datetime) -> str:
        """The part of the link that proves it."""
        return str(self._serializer.dumps({**subject, "until": int(until.timestamp())}))

    def read(self, link: str) -> tuple[dict[str, Any], datetime] | None:
        """The subject of a link that is ours, and until when it may be read: that is the caller's part. Else None."""
        try:
            subject = dict(self._serializer.loads(link))
        except (BadData, ValueError):
            return None
        return subject, datetime.fromtimestamp(subject.pop("until"), UTC)
