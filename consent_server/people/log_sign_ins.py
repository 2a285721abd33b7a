"""The log of sign-ins: when, how, whether it succeeded, and with which kind of browser. Kept for 90 days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_server.core.database import Database
from consent_server.people import store_sign_ins as sign_ins

KEPT_FOR = timedelta(days=90)
# Whoever guesses fills no disk: so many attempts of everybody together, the newest.
MOST = 100_000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class SignIn:
    """An attempt as it is shown: `how` is "password", "code", "recovery code", "link" or "provider"."""

    at: datetime
    how: str
    succeeded: bool
    browser: str


def read_sign_ins(database: Database, user_id: int) -> Sequence[SignIn]:
    """A user's newest attempts."""
    with database.reading() as session:
        return [SignIn(row.at, row.how, row.succeeded, row.browser) for row in sign_ins.newest(session, user_id, SHOWN)]


def forget_sign_ins(database: Database, now: datetime) -> int:
    """Let attempts go that are older than 90 days; return how many."""
    with database.transaction() as session:
        return sign_ins.forget(session, now - KEPT_FOR, MOST)
