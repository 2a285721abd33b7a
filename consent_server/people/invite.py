"""Invite people by a link. Nobody sets another's password: who opens the link sets their own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from consent_server.access import store_sites as stored_sites
from consent_server.access.credentials import OneTimeLinks, token_hash
from consent_server.access.rows import UserRow
from consent_server.access.rules import Access, Grant, Role, grants_of, in_order
from consent_server.core.database import Database, Session
from consent_server.core.errors import (
    Fault,
    Forbidden,
    InvalidUser,
    LastOperator,
    UnknownSite,
    UnknownUser,
    UserConflict,
)  # fmt: skip
from consent_server.core.rules_email import email_or_as_given, normal_email
from consent_server.people import store as users

NONCE_BYTES = 16
INVITATION, RESET = timedelta(days=7), timedelta(days=1)
FIRST_OPERATOR = "operator@localhost"
OTHERS = "This person belongs to sites that you do not operate. An operator of all sites can do this."
# Whoever can run commands on the machine has the database anyway.
COMMAND_LINE = Access("the command line", grants_of(Role.OPERATOR, None))


def clean_email(email: str) -> str:
    """An address in the one spelling that is stored. Raises InvalidUser."""
    try:
        return normal_email(email)
    except ValueError as error:
        raise InvalidUser("This is not an e-mail address.", [Fault("#/email", str(error))]) from error


def invite(
    database: Database, links: OneTimeLinks, email: str, role: Role, sites: Sequence[str] | None, by: Access,
    now: datetime, random: Callable[[int], bytes],
) -> str:  # fmt: skip
    """Add a user with a role on these sites, or on all, and return their one-time link, which holds for a week.

    Raises InvalidUser, UserConflict, UnknownSite, Forbidden.
    """
    email = clean_email(email)
    with database.transaction() as session:
        users.hold(session)
        given = grants_of(role, known_sites(session, sites))
        require_may_give(by, given)
        if users.by_email(session, email) is not None:
            raise UserConflict(f"There is already a user {email}. For a new link: consent user link {email}")
        return _add(session, links, email, given, now, random)


def renew_link(
    database: Database, links: OneTimeLinks, user_id: int, by: Access, now: datetime, random: Callable[[int], bytes]
) -> str:
    """A fresh one-time link for a user, which holds for a day; earlier ones no longer work.

    Raises UnknownUser, Forbidden.
    """
    with database.transaction() as session:
        return new_link(links, managed(session, user_id, by), RESET, now, random)


def welcome_operator(
    database: Database, links: OneTimeLinks, now: datetime, random: Callable[[int], bytes]
) -> tuple[str, str | None]:
    """The first operator's address, and a one-time link as long as they have set no password.

    The operator is made when there is none, so that a fresh server can be entered, by whoever can run its
    commands and by nobody else.
    """
    with database.transaction() as session:
        users.hold(session)
        user = next(iter(users.operators(session)), None)
        if user is None:
            taken = users.by_email(session, FIRST_OPERATOR) is not None
            email = f"first-{FIRST_OPERATOR}" if taken else FIRST_OPERATOR
            return email, _add(session, links, email, grants_of(Role.OPERATOR, None), now, random)
        if user.password_hash or user.subject:
            return user.email, None
        return user.email, new_link(links, user, INVITATION, now, random)


def remove_user(database: Database, user_id: int, by: Access) -> str:
    """Remove a user, sign them out everywhere at once, and return their address.

    Raises UnknownUser, Forbidden, LastOperator.
    """
    with database.transaction() as session:
        users.hold(session)
        user = managed(session, user_id, by)
        with an_operator_remains(session):
            users.remove(session, user)
        return user.email


def find_user(database: Database, email: str) -> int:
    """The number of the user with this address. Raises UnknownUser."""
    spelt = email_or_as_given(email)
    with database.reading() as session:
        user = users.by_email(session, spelt) if spelt.isprintable() else None
    if user is None:
        raise UnknownUser(f"There is no user {email}. To list all users: consent user list")
    return user.id


def known_sites(session: Session, sites: Sequence[str] | None) -> list[str] | None:
    """These keys, each of a site that is here, or None for all sites. Raises UnknownSite."""
    if not sites:
        return None
    here = {row.key for row in stored_sites.every(session)}
    for key in sites:
        if key not in here:
            raise UnknownSite(f"There is no site {key!r} here. Apply its file with: consent site apply FILE.toml")
    return sorted(set(sites))


def granted(user: UserRow) -> frozenset[Grant]:
    """What a user has."""
    return frozenset(Grant(Role(role), site) for role, site in user.grants)


def keep_grants(user: UserRow, grants: frozenset[Grant]) -> None:
    """Have a user have these and no others."""
    user.grants = [(grant.role.value, grant.site) for grant in in_order(grants)]


def manages(by: Access, user: UserRow) -> bool:
    """Whether somebody may do with a user's account as they please: they are over all that the user has."""
    grants = granted(user)
    return by.has_on(Role.OPERATOR, None) or (bool(grants) and by.may_give(grants))


def managed(session: Session, user_id: int, by: Access) -> UserRow:
    """A user that this person may manage, locked until the transaction ends. Raises UnknownUser, Forbidden."""
    user = users.by_id(session, user_id)
    if user is None and by.has_on(Role.OPERATOR, None):
        raise UnknownUser("There is no such user any more.")
    if user is None or not manages(by, user):
        # In the same words, so that nobody learns who belongs to other sites.
        raise Forbidden(OTHERS)
    return user


def require_may_give(by: Access, grants: frozenset[Grant]) -> None:
    """Raises Forbidden for who would give, or take, more than they have."""
    if not by.may_give(grants):
        raise Forbidden("You can give and take roles only on sites that you operate.")


@contextmanager
def an_operator_remains(session: Session) -> Iterator[None]:
    """Raises LastOperator where after the block nobody could sign in any more who operates all sites."""
    before = _somebody_operates(session)
    yield
    session.flush()
    if before and not _somebody_operates(session):
        raise LastOperator("Nobody else who can sign in operates all sites. Make another person an operator first.")


def new_link(
    links: OneTimeLinks, user: UserRow, lifetime: timedelta, now: datetime, random: Callable[[int], bytes]
) -> str:
    """A one-time link for a user; the earlier one no longer works."""
    nonce = random(NONCE_BYTES)
    user.link_hash = token_hash(nonce.hex())
    return links.sign(user.id, nonce, now + lifetime)


def _somebody_operates(session: Session) -> bool:
    return any(user.password_hash or user.subject for user in users.operators(session))


def _add(
    session: Session, links: OneTimeLinks, email: str, grants: frozenset[Grant], now: datetime,
    random: Callable[[int], bytes],
) -> str:  # fmt: skip
    user = UserRow(email=email, password_hash=None, link_hash=None, created_at=now)
    keep_grants(user, grants)
    session.add(user)
    session.flush()
    return new_link(links, user, INVITATION, now, random)
