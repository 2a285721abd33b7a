"""Secrets that must be read again, encrypted under a key of the instance (AES-256-GCM, NIST SP 800-38D)."""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class SecretBox:
    """Encrypts for one user: what is put into another's row opens nothing there."""

    def __init__(self, secret_key: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, b"consent second factor").derive(secret_key.encode()))

    def encrypt(self, secret: bytes, user_id: int, random: Callable[[int], bytes]) -> bytes:
        """The nonce, and the secret behind it."""
        nonce = random(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, str(user_id).encode())

    def decrypt(self, encrypted: bytes, user_id: int) -> bytes | None:
        """The secret; None when it was altered, is another's, or the instance has another key now."""
        try:
            return self._cipher.decrypt(encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:], str(user_id).encode())
        except InvalidTag:
            return None
