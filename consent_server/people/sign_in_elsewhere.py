"""Sign somebody in whom the provider named: only who was invited here, whatever the provider says."""

from datetime import datetime

from consent_server.access.rows import UserRow
from consent_server.core.database import Database, Session
from consent_server.core.errors import NotInvited
from consent_server.core.hashes import sha256_hex
from consent_server.core.rules_email import normal_email
from consent_server.people import store as users
from consent_server.people import store_sign_ins as sign_ins
from consent_server.people.provider import Identity
from consent_server.people.sign_in import Browser, begin


def sign_in_elsewhere(database: Database, issuer: str, identity: Identity, browser: Browser, now: datetime) -> str:
    """A new session's token. Who comes the first time is known by their address, and afterwards by their subject.

    So whoever gets an address later that somebody left is not taken for them. Raises NotInvited.
    """
    subject = sha256_hex(f"{issuer}\0{identity.subject}".encode())
    with database.transaction() as session:
        user = users.by_subject(session, subject) or _bound_now(session, identity.email, subject)
        sign_ins.add(session, user.id if user else None, "provider", user is not None, browser.family, now)
        token = begin(session, user, browser, now) if user else None
    if token is None:
        raise NotInvited("Nobody with your address was invited here, or not by this account. Ask an operator.")
    return token


def _bound_now(session: Session, email: str | None, subject: str) -> UserRow | None:
    try:
        user = users.by_email(session, normal_email(email)) if email else None
    except ValueError:
        return None
    if user is None or user.subject is not None:
        return None
    # The link is used up as well: they are in.
    user.subject, user.link_hash = subject, None
    return user
