"""A draft, and which text of a site somebody had before them when they changed it."""

from dataclasses import dataclass
from datetime import datetime

from consent_server.core.hashes import sha256_hex


@dataclass(frozen=True, slots=True)
class Draft:
    """A site file that is still written. `based_on` is the version of the one that was in force when it was begun."""

    text: str
    based_on: str
    who: str
    saved_at: datetime


class DraftConflict(Exception):
    """Somebody else saved or published something since the page was opened. Nothing was changed by this one."""

    def __init__(self, who: str | None, at: datetime | None) -> None:
        super().__init__(who, at)
        # None: by a command, or the draft was discarded.
        self.who, self.at = who, at


def version(text: str | None) -> str:
    """What a form sends back, so that nobody writes over what they have not seen; "" where there is no text."""
    return "" if text is None else sha256_hex(text.encode())
