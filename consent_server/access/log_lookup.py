"""Write down who looked at which records, and let that go after a year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from consent_server.access import store_lookups as lookups
from consent_server.access.rules import Access, Role
from consent_server.core.database import Database

KEPT_FOR = timedelta(days=365)
PAGE = 100
# Identifiers of visitors and their receipts: that one was given is written down, which one is not. Otherwise
# this log would keep what an erasure takes away.
WITHHELD = frozenset({"visitor", "receipt", "cursor"})


@dataclass(frozen=True, slots=True)
class Lookup:
    """One look-up as operators see it."""

    id: int
    at: datetime
    who: str
    site: str
    what: str
    subject: dict[str, Any]


def log_lookup(
    database: Database, access: Access, site_id: int, what: str, subject: dict[str, Any], now: datetime
) -> None:
    """Durable before anything is shown: a look-up that cannot be written down does not take place."""
    kept = {key: "given" if key in WITHHELD else value for key, value in subject.items()}
    with database.transaction() as session:
        lookups.add(session, site_id, access.name, what, kept, now)


def read_lookups(database: Database, access: Access, before: int | None) -> tuple[Sequence[Lookup], int | None]:
    """A page of look-ups on the sites that this operator sees, newest first, and where the next one begins."""
    with database.reading() as session:
        rows = lookups.newest(session, access.sites_as(Role.OPERATOR), before, PAGE + 1)
        found = [Lookup(row.id, row.at, row.who, site, row.what, row.subject) for row, site in rows[:PAGE]]
    return found, found[-1].id if len(rows) > PAGE else None


def own_lookups(database: Database, access: Access, site_id: int, what: str) -> list[dict[str, Any]]:
    """What this person's newest look-ups of a kind on a site were about, each once.

    Left out are those whose subject is not written down: they cannot be made again from here.
    """
    with database.reading() as session:
        found = lookups.subjects(session, site_id, access.name, what, PAGE)
    known = [subject for subject in found if subject and WITHHELD.isdisjoint(subject)]
    return [subject for at, subject in enumerate(known) if subject not in known[:at]]


def forget_lookups(database: Database, now: datetime) -> int:
    """Let look-ups go that are older than a year; return how many."""
    with database.transaction() as session:
        return lookups.forget(session, now - KEPT_FOR)
