"""Sign people in and out. A session is a row, so that ending one ends it everywhere."""

from collections.abc import Callable, Sequence
from datetime import datetime

from consent_server.access.credentials import OneTimeLinks, hash_password, new_token, password_matches, token_hash
from consent_server.access.find_access import IDLE, LONGEST
from consent_server.access.rows import UserRow
from consent_server.core.database import Database, Session
from consent_server.core.errors import Fault, InvalidUser, SpentLink
from consent_server.core.rules_email import email_or_as_given
from consent_server.core.rules_text import normal_password
from consent_server.people import store as users
from consent_server.people.invite import NONCE_BYTES
from consent_server.people.weak_passwords import is_easy_to_guess

# NIST SP 800-63B, 3.1.1.2: long enough, no rules of composition. The upper bound keeps hashing cheap.
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
EASY = (
    "Is among the first that anybody would try: a common word, a row of keys, a date, your address, or such a thing "
    "repeated or counted up. Take a few words that have nothing to do with each other."
)


def sign_in(database: Database, email: str, password: str, earlier: str, now: datetime) -> str | None:
    """A new session's token, or None when address and password do not go together.

    The browser's earlier session ends: what was known of it is worth nothing afterwards.
    """
    with database.reading() as session:
        # An address that cannot be one is not asked for: NUL would be an error of the database.
        spelt = email_or_as_given(email)
        user = users.by_email(session, spelt) if spelt.isprintable() else None
        user_id, encoded = (user.id, user.password_hash) if user else (0, None)
    if not any(password_matches(encoded, spelt[:LONGEST_PASSWORD]) for spelt in _spellings(password)):
        return None
    with database.transaction() as session:
        users.end_idle_sessions(session, now - IDLE, now - LONGEST)
        user = users.by_id(session, user_id)
        if user is None or user.password_hash != encoded:
            return None
        return _begin(session, user, earlier, now)


def _spellings(password: str) -> Sequence[str]:
    """As passwords are kept, and as they were kept before they had one form."""
    return list(dict.fromkeys([normal_password(password), password]))


def sign_out(database: Database, token: str) -> None:
    """End a session."""
    with database.transaction() as session:
        users.end_session(session, token_hash(token))


def user_of_link(database: Database, links: OneTimeLinks, link: str) -> str:
    """The address of the user whose link this is, not used up by asking. Raises SpentLink."""
    with database.reading() as session:
        return _holder(session, links, link).email


def set_password(
    database: Database, links: OneTimeLinks, link: str, password: str, earlier: str, now: datetime,
    random: Callable[[int], bytes],
) -> str:  # fmt: skip
    """Use a one-time link up: set the password, sign out everywhere else, and return a new session's token.

    Raises SpentLink, InvalidUser.
    """
    password = normal_password(password)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        detail = f"Must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
        raise InvalidUser("This password cannot be used.", [Fault("#/password", detail)])
    if is_easy_to_guess(password, user_of_link(database, links, link)):
        raise InvalidUser("This password cannot be used.", [Fault("#/password", EASY)])
    encoded = hash_password(password)
    with database.transaction() as session:
        user = _holder(session, links, link)
        user.password_hash, user.nonce = encoded, random(NONCE_BYTES)
        users.end_sessions(session, user.id)
        return _begin(session, user, earlier, now)


def _holder(session: Session, links: OneTimeLinks, link: str) -> UserRow:
    read = links.read(link)
    user = users.by_id(session, read[0]) if read else None
    if read is None or user is None or user.nonce != read[1]:
        raise SpentLink(
            "This link has been used, was replaced by a newer one, or is older than a day. Ask an operator for another."
        )
    return user


def _begin(session: Session, user: UserRow, earlier: str, now: datetime) -> str:
    token = new_token()
    users.end_session(session, token_hash(earlier))
    users.begin_session(session, token_hash(token), user.id, now)
    return token
