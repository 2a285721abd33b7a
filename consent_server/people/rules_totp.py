"""Time-based one-time codes (RFC 6238), and the recovery codes for who lost what makes them."""

import base64
import hmac
from datetime import datetime
from urllib.parse import quote

STEP_SECONDS, DIGITS = 30, 6
SECRET_BYTES = 20
# Clocks differ, and people type slowly: the code before and the one after count too (RFC 6238, section 5.2).
WINDOW = 1
RECOVERY_CODES, RECOVERY_BYTES = 10, 10


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step, six digits (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**DIGITS:0{DIGITS}}"


def step_of(secret: bytes, code: str, now: datetime, after: int) -> int | None:
    """The time step whose code this is, if it is about now and later than `after`: none is taken twice."""
    present = int(now.timestamp()) // STEP_SECONDS
    for step in range(max(present - WINDOW, after + 1), present + WINDOW + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None


def spelt(typed: str) -> str:
    """A code as it is compared, however it was typed."""
    return "".join(character for character in typed.upper() if character.isascii() and character.isalnum())


def base32(secret: bytes) -> str:
    """The secret as apps take it."""
    return base64.b32encode(secret).decode().rstrip("=")


def in_groups(text: str) -> str:
    """Four characters at a time, to be typed."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def key_uri(secret: bytes, issuer: str, account: str) -> str:
    """What an app reads from the picture (Key Uri Format of Google Authenticator)."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    return f"otpauth://totp/{label}?secret={base32(secret)}&issuer={quote(issuer, safe='')}"


def recovery_code(random: bytes) -> str:
    """80 random bits as a code to be typed."""
    return in_groups(base32(random))
