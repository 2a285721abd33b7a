"""Where somebody is signed in, and how to end it: their own, or another's by whoever manages them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent_server.access.credentials import token_hash
from consent_server.access.find_access import IDLE, LONGEST
from consent_server.core.database import Database
from consent_server.people import store as users

# A session is named by so many hex digits of the hash of its token, which sign nobody in.
NAME_DIGITS = 16


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser in which somebody is signed in; `here` is the one that asks."""

    name: str
    browser: str
    since: datetime
    seen_at: datetime
    here: bool


def read_sessions(database: Database, user_id: int, token: str, now: datetime) -> Sequence[SignedIn]:
    """A user's sessions that are not over, the one that was used last first. `token` is of the one that asks."""
    with database.reading() as session:
        rows = users.sessions_of(session, user_id)
    return [
        SignedIn(
            _name(row.token_hash), row.browser or "unknown", row.created_at, row.seen_at,
            row.token_hash == token_hash(token),
        )
        for row in rows if now - row.seen_at <= IDLE and now - row.created_at <= LONGEST
    ]  # fmt: skip


def end_session(database: Database, user_id: int, name: str) -> None:
    """End one session of a user. One that is over already stays so."""
    with database.transaction() as session:
        for row in users.sessions_of(session, user_id):
            if _name(row.token_hash) == name:
                users.end_session(session, row.token_hash)


def end_sessions(database: Database, user_id: int, but: str = "") -> None:
    """End all sessions of a user, but the one of this token."""
    with database.transaction() as session:
        for row in users.sessions_of(session, user_id):
            if row.token_hash != token_hash(but):
                users.end_session(session, row.token_hash)


def _name(hashed: bytes) -> str:
    return hashed.hex()[:NAME_DIGITS]
