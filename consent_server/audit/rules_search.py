"""What an auditor searches for."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consent_server.decisions.rules import Action

Place = tuple[datetime, int]


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
