"""Who a session or a token stands for. Each use of them is noted, as seldom as is of use."""

from datetime import datetime, timedelta

from consent_server.access import store as users
from consent_server.access.credentials import token_hash
from consent_server.access.rules import Access
from consent_server.core.database import Database

IDLE = timedelta(hours=8)
LONGEST = timedelta(days=7)
# A session is written to again only after so long, so that reading pages stays reading.
NOTED_EVERY = timedelta(minutes=5)


def access_of_session(database: Database, token: str, now: datetime) -> Access | None:
    """Who a browser's session belongs to; None when it is over, never was, or awaits a code."""
    hashed = token_hash(token)
    with database.reading() as session:
        found = users.session_of(session, hashed)
        if found is None:
            return None
        row, user = found
        if row.awaits or now - row.seen_at > IDLE or now - row.created_at > LONGEST:
            return None
        access, stale = users.access_of_user(user), now - row.seen_at > NOTED_EVERY
    if stale:
        with database.transaction() as session:
            if (still := users.session_of(session, hashed)) is not None:
                still[0].seen_at = now
    return access


def access_of_token(database: Database, token: str, now: datetime) -> Access | None:
    """Who a token stands for; None when there is no such token, or it was revoked or is over."""
    with database.reading() as session:
        row = users.token(session, token_hash(token))
        over = row is None or row.revoked_at is not None or (row.expires_at is not None and now >= row.expires_at)
        if row is None or over:
            return None
        access, token_id, noted = users.access_of_token(row), row.id, row.last_used_on == now.date()
    if not noted:
        # The day is enough to find tokens that nobody uses; more would be a log of somebody's work.
        with database.transaction() as session:
            if (again := users.token_by_id(session, token_id)) is not None:
                again.last_used_on = now.date()
    return access
