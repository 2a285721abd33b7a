"""Users of the consoles. Nobody sets another's password: each user gets a link, once, and sets their own."""

from collections.abc import Callable, Sequence
from datetime import datetime

from consent_server.access import store_sites as stored_sites
from consent_server.access.credentials import OneTimeLinks
from consent_server.access.rows import UserRow
from consent_server.access.rules import Role
from consent_server.core.database import Database, Session
from consent_server.core.errors import Fault, InvalidUser, UnknownSite, UnknownUser, UserConflict
from consent_server.core.rules_email import email_or_as_given, normal_email
from consent_server.people import store as users

NONCE_BYTES = 16
FIRST_OPERATOR = "operator@localhost"


def clean_email(email: str) -> str:
    """An address in the one spelling that is stored. Raises InvalidUser."""
    try:
        return normal_email(email)
    except ValueError as error:
        raise InvalidUser("This is not an e-mail address.", [Fault("#/email", str(error))]) from error


def create_user(
    database: Database, links: OneTimeLinks, email: str, role: Role, sites: Sequence[str] | None, now: datetime,
    random: Callable[[int], bytes],
) -> str:  # fmt: skip
    """Add a user and return their one-time link. Raises InvalidUser, UserConflict, UnknownSite."""
    email = clean_email(email)
    with database.transaction() as session:
        users.hold(session)
        if users.by_email(session, email) is not None:
            raise UserConflict(f"There is already a user {email}. For a new link: consent user link {email}")
        known = known_sites(session, sites)
        return links.sign(*_add(session, email, role, known, now, random))


def renew_link(database: Database, links: OneTimeLinks, email: str, random: Callable[[int], bytes]) -> str:
    """A fresh one-time link for a user; earlier ones no longer work. Raises UnknownUser."""
    with database.transaction() as session:
        user = _existing(session, email)
        user.nonce = random(NONCE_BYTES)
        return links.sign(user.id, user.nonce)


def welcome_operator(
    database: Database, links: OneTimeLinks, now: datetime, random: Callable[[int], bytes]
) -> tuple[str, str | None]:
    """The first operator's address, and a one-time link as long as they have set no password.

    The operator is made when there is none, so that a fresh server can be entered, by whoever can run its
    commands and by nobody else.
    """
    with database.transaction() as session:
        users.hold(session)
        user = users.first_operator(session)
        if user is None:
            taken = users.by_email(session, FIRST_OPERATOR) is not None
            email = f"first-{FIRST_OPERATOR}" if taken else FIRST_OPERATOR
            return email, links.sign(*_add(session, email, Role.OPERATOR, None, now, random))
        if user.password_hash is not None:
            return user.email, None
        user.nonce = random(NONCE_BYTES)
        return user.email, links.sign(user.id, user.nonce)


def remove_user(database: Database, email: str) -> None:
    """Remove a user, and sign them out everywhere at once. Raises UnknownUser."""
    with database.transaction() as session:
        users.remove(session, _existing(session, email))


def list_users(database: Database) -> Sequence[UserRow]:
    """All users, by address."""
    with database.reading() as session:
        return users.every(session)


def known_sites(session: Session, sites: Sequence[str] | None) -> list[str] | None:
    """These keys, each of a site that is here, or None for all sites. Raises UnknownSite."""
    if not sites:
        return None
    here = {row.key for row in stored_sites.every(session)}
    for key in sites:
        if key not in here:
            raise UnknownSite(f"There is no site {key!r} here. Apply its file with: consent site apply FILE.toml")
    return sorted(set(sites))


def _existing(session: Session, email: str) -> UserRow:
    spelt = email_or_as_given(email)
    user = users.by_email(session, spelt) if spelt.isprintable() else None
    if user is None:
        raise UnknownUser(f"There is no user {email}. To list all users: consent user list")
    return user


def _add(
    session: Session, email: str, role: Role, sites: list[str] | None, now: datetime, random: Callable[[int], bytes]
) -> tuple[int, bytes]:
    nonce = random(NONCE_BYTES)
    user = UserRow(email=email, role=role.value, sites=sites, password_hash=None, nonce=nonce, created_at=now)
    session.add(user)
    session.flush()
    return user.id, nonce
