"""What an auditor searches for."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consent_server.decisions.rules import Action

Place = tuple[datetime, int]
# The first digits of a hash, as pages show them, or all.
_DIGITS = re.compile("[0-9a-f]{8,64}")
_HASH_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Filter:
    """What to find on a site. `since` is included, `before` is not; `purpose` is one that was granted."""

    since: datetime | None = None
    before: datetime | None = None
    action: Action | None = None
    purpose: str | None = None
    visitor: UUID | None = None
    notice: str | None = None


def unchecked_claims(receipt: str) -> dict[str, Any]:
    """What a receipt says, whoever signed it; nothing where it cannot be read: a record may have been altered."""
    try:
        payload = receipt.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def notices_meant(text: str, titles: Mapping[str, str]) -> list[str]:
    """Hashes of the notices that a text means: by a hash, by its first 8 digits or more, by a title or a part of one.

    `titles` are those of the site by hash. A whole hash means itself, also where the site never had it.
    """
    if _DIGITS.fullmatch(text):
        if len(text) == _HASH_DIGITS:
            return [text]
        if begin := [notice for notice in titles if notice.startswith(text)]:
            return begin
    folded = text.casefold()
    same = [notice for notice, title in titles.items() if title.casefold() == folded]
    return same or [notice for notice, title in titles.items() if folded in title.casefold()]
