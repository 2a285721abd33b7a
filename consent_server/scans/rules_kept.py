"""Scans that a server keeps, and what changed between two of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# So many scans of a site are kept, and pictures of so many.
KEPT, PICTURED = 20, 2
# One that began that long ago and has not ended belonged to a server that is gone.
LOST_AFTER = timedelta(hours=1)
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AskedScan:
    """A scan that is still to be made."""

    number: int
    site: str
    url: str


@dataclass(frozen=True, slots=True)
class KeptScan:
    """A scan as a list has it."""

    number: int
    url: str
    who: str | None
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    failure: str | None
    wrong: int
    unseen: int

    @property
    def tone(self) -> str:
        """How it ended, for the eye."""
        if self.finished_at is None:
            return "neutral"
        return "bad" if self.wrong else "warn" if self.failure or self.unseen else "good"

    @property
    def said(self) -> str:
        """How it ended, in a few words."""
        if self.finished_at is None:
            return "Under way" if self.started_at else "Waiting"
        if self.failure:
            return "Could not look"
        if self.wrong:
            return f"{self.wrong} wrong"
        return "Not all looked at" if self.unseen else "Nothing wrong"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a scan says that an earlier one did not, and what it no longer says: sentences."""

    new: tuple[str, ...]
    gone: tuple[str, ...]


def difference(earlier: Json, later: Json) -> Difference:
    """Between two scans as they are kept."""
    before, after = dict(_said(earlier)), dict(_said(later))
    return Difference(
        tuple(said for key, said in after.items() if key not in before),
        tuple(said for key, said in before.items() if key not in after),
    )


def _said(scan: Json) -> Iterator[tuple[tuple[Any, ...], str]]:
    """What a scan says, with what makes it the same thing another time: a sentence may count differently."""
    for finding in scan["findings"]:
        yield ("finding", finding["rule"], finding["state"], finding["vendor"]), finding["said"]
    for state in scan["states"].values():
        for cookie in state["cookies"]:
            yield ("cookie", cookie["name"], cookie["domain"]), f"Cookie {cookie['name']} of {cookie['domain']}"
        for stored in state["storage"]:
            said = f"{stored['name']} in {stored['storage']} storage of {stored['origin']}"
            yield ("stored", stored["storage"], stored["origin"], stored["name"]), said
        for request in state["requests"]:
            if not request["first_party"]:
                yield ("host", request["host"]), f"Requests to {request['host']}"
