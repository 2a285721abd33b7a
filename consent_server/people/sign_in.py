"""Sign people in and out. A session is a row, so that ending one ends it everywhere."""

from dataclasses import dataclass
from datetime import datetime

from consent_server.access.credentials import OneTimeLinks, hash_password, new_token, token_hash
from consent_server.access.find_access import IDLE, LONGEST
from consent_server.access.rows import UserRow
from consent_server.core.database import Database, Session
from consent_server.core.errors import SpentLink
from consent_server.core.rules_email import email_or_as_given
from consent_server.people import store as users
from consent_server.people import store_factors as factors
from consent_server.people import store_sign_ins as sign_ins
from consent_server.people.passwords import new_password, password_fits


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in: its cookie's session, "" without one, which ends then; and its family."""

    session: str
    family: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session's token, and what it awaits before it stands for its user: "code", "setup", or "" for nothing."""

    token: str
    user_id: int
    awaits: str


def sign_in(
    database: Database, email: str, password: str, browser: Browser, now: datetime, codes_required: bool
) -> Begun | None:
    """A new session, or None when address and password do not go together.

    Either is written down, for an address that nobody has too: the same work tells the same of all.
    """
    with database.reading() as session:
        # An address that cannot be one is not asked for: NUL would be an error of the database.
        spelt = email_or_as_given(email)
        user = users.by_email(session, spelt) if spelt.isprintable() else None
        user_id, encoded = (user.id, user.password_hash) if user else (None, None)
    matches = password_fits(encoded, password)
    with database.transaction() as session:
        users.end_idle_sessions(session, now - IDLE, now - LONGEST)
        user = users.by_id(session, user_id or 0)
        succeeded = matches and user is not None and user.password_hash == encoded
        sign_ins.add(session, user.id if user else None, "password", succeeded, browser.family, now)
        return _begin_by_password(session, user, browser, now, codes_required) if user and succeeded else None


def sign_out(database: Database, token: str) -> None:
    """End a session."""
    with database.transaction() as session:
        users.end_session(session, token_hash(token))


def user_of_link(database: Database, links: OneTimeLinks, link: str, now: datetime) -> str:
    """The address of the user whose link this is, not used up by asking. Raises SpentLink."""
    with database.reading() as session:
        return _holder(session, links, link, now).email


def set_password(
    database: Database, links: OneTimeLinks, link: str, password: str, browser: Browser, now: datetime,
    codes_required: bool,
) -> Begun:  # fmt: skip
    """Use a one-time link up: set the password, sign out everywhere else, and begin a new session.

    Who has codes is asked for one all the same: a link came by mail, which others may read.

    Raises SpentLink, InvalidUser.
    """
    encoded = hash_password(new_password(password, user_of_link(database, links, link, now)))
    with database.transaction() as session:
        user = _holder(session, links, link, now)
        user.password_hash, user.link_hash = encoded, None
        users.end_sessions(session, user.id)
        sign_ins.add(session, user.id, "link", True, browser.family, now)
        return _begin_by_password(session, user, browser, now, codes_required)


def change_password(
    database: Database, user_id: int, current: str, password: str, browser: Browser, now: datetime
) -> str | None:
    """Set one's own password and return a new session's token: all others end. None when the current one is wrong.

    A link that was made for them before opens nothing afterwards. Raises InvalidUser.
    """
    with database.reading() as session:
        user = users.by_id(session, user_id)
        email, encoded = (user.email, user.password_hash) if user else ("", None)
    if not password_fits(encoded, current):
        return None
    replaced = hash_password(new_password(password, email))
    with database.transaction() as session:
        user = users.by_id(session, user_id)
        if user is None or user.password_hash != encoded:
            return None
        user.password_hash, user.link_hash = replaced, None
        users.end_sessions(session, user.id)
        return begin(session, user, browser, now)


def _begin_by_password(session: Session, user: UserRow, browser: Browser, now: datetime, codes_required: bool) -> Begun:
    factor = factors.get(session, user.id)
    awaits = "code" if factor and factor.confirmed_at else "setup" if codes_required else ""
    return Begun(begin(session, user, browser, now, awaits), user.id, awaits)


def knows_password(database: Database, user_id: int, password: str) -> bool:
    """Whether this is the user's password."""
    with database.reading() as session:
        user = users.by_id(session, user_id)
        encoded = user.password_hash if user else None
    return password_fits(encoded, password)


def begin(session: Session, user: UserRow, browser: Browser, now: datetime, awaits: str = "") -> str:
    """Sign a browser in: the token of a new session. What was known of its earlier one is worth nothing afterwards."""
    token = new_token()
    users.end_session(session, token_hash(browser.session))
    users.begin_session(session, token_hash(token), user.id, browser.family, now, awaits or None)
    return token


def _holder(session: Session, links: OneTimeLinks, link: str, now: datetime) -> UserRow:
    read = links.read(link, now)
    user = users.by_id(session, read[0]) if read else None
    if read is None or user is None or user.link_hash != token_hash(read[1].hex()):
        raise SpentLink("This link has been used, was replaced by a newer one, or has ended. Ask for another.")
    return user
