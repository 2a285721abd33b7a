"""What an auditor searches for."""

from dataclasses import dataclass
from datetime import datetime
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
