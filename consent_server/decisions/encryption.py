"""Encrypt what identifies in a record under the record's own key (AES-256-GCM, NIST SP 800-38D)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent_server.decisions.rules_contents import Content, place_of

# Fixed, since no key ever encrypts twice.
_NONCE = bytes(12)


def encrypt(content: Content, key: bytes, site_id: int, chunk: int, slot: int) -> bytes:
    """The content, for the slot of this key alone. The key must not have encrypted anything before."""
    return AESGCM(key).encrypt(_NONCE, content.packed(), place_of(site_id, chunk, slot))


def decrypt(encrypted: bytes, key: bytes, site_id: int, chunk: int, slot: int) -> Content | None:
    """The content; None when it was altered or belongs to another slot."""
    try:
        return Content.unpacked(AESGCM(key).decrypt(_NONCE, encrypted, place_of(site_id, chunk, slot)))
    except (InvalidTag, ValueError):
        return None
