"""What somebody is told of a server or a page: one sentence each, which says how it is mended."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. A note is no fault: it says what to look at, or what cannot be seen from here."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, about a server, a site or a page, on whose line it stands."""

    level: Level
    about: str
    said: str


def quoted(text: str, most: int = 120) -> str:
    """What a stranger wrote, fit for a terminal: in one line, without control characters, cut."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return plain if len(plain) <= most else f"{plain[:most]}…"
