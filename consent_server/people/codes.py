"""Codes beside the password: set up, asked for at sign-in, each taken once, and let go."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_server.access.credentials import token_hash
from consent_server.access.rows import SessionRow, UserRow
from consent_server.access.rules import Access
from consent_server.access.store import session_of
from consent_server.core.database import Database, Session
from consent_server.core.errors import Unauthenticated
from consent_server.core.keys import LinkSigner
from consent_server.people import rules_totp as totp
from consent_server.people import store as users
from consent_server.people import store_factors as factors
from consent_server.people import store_sign_ins as sign_ins
from consent_server.people.encryption import SecretBox
from consent_server.people.invite import managed
from consent_server.people.sign_in import Browser, begin

# Between the password and the code; whoever takes longer begins again.
PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Codes:
    """What codes are made and checked with: the box of secrets, and the key of recovery codes' hashes."""

    box: SecretBox
    recovery: LinkSigner
    random: Callable[[int], bytes]

    def hash(self, code: str) -> str:
        """What is kept of a recovery code. It is short: without the key all could be tried."""
        return self.recovery.digest(totp.spelt(code)).decode()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody between the password and what their session awaits: "code" or "setup"."""

    user_id: int
    email: str
    awaits: str


@dataclass(frozen=True, slots=True)
class CodesState:
    """Whether somebody has codes, since when, and how many recovery codes are left."""

    since: datetime | None
    recovery_left: int


def waiting(database: Database, token: str, now: datetime) -> Waiting:
    """Who this browser's session belongs to, and what it awaits. Raises Unauthenticated."""
    with database.reading() as session:
        row, user = _waiting(session, token, now)
        return Waiting(user.id, user.email, row.awaits or "")


def begin_codes(database: Database, codes: Codes, user_id: int) -> None:
    """Make a secret that counts once a code of it was given. Codes that are set up already stay as they are."""
    with database.transaction() as session:
        user = users.by_id(session, user_id)
        factor = factors.get(session, user_id)
        if user is not None and (factor is None or factor.confirmed_at is None):
            secret = codes.random(totp.SECRET_BYTES)
            factors.begin(session, user_id, codes.box.encrypt(secret, user_id, codes.random))


def pending_secret(database: Database, codes: Codes, user_id: int) -> bytes | None:
    """The secret that waits for its first code; None where there is none, or codes are set up."""
    with database.reading() as session:
        factor = factors.get(session, user_id)
        return None if factor is None or factor.confirmed_at else codes.box.decrypt(factor.secret, user_id)


def confirm_codes(database: Database, codes: Codes, user_id: int, code: str, now: datetime) -> list[str] | None:
    """Turn codes on by the first one, and return the recovery codes, which nobody can read again. None: wrong code."""
    with database.transaction() as session:
        users.by_id(session, user_id)
        factor = factors.get(session, user_id)
        secret = codes.box.decrypt(factor.secret, user_id) if factor and factor.confirmed_at is None else None
        step = totp.step_of(secret, totp.spelt(code), now, 0) if secret else None
        if factor is None or step is None:
            return None
        factor.confirmed_at, factor.last_step = now, step
        return _new_recovery(session, codes, user_id)


def renew_recovery(database: Database, codes: Codes, user_id: int) -> list[str]:
    """New recovery codes; the earlier ones are worth nothing."""
    with database.transaction() as session:
        return _new_recovery(session, codes, user_id)


def give_code(database: Database, codes: Codes, browser: Browser, code: str, now: datetime) -> str | None:
    """The token of a session that stands for its user, for a code or a recovery code; None for a wrong one.

    Either is written down. Raises Unauthenticated where no session waits for a code.
    """
    with database.transaction() as session:
        _, user = _waiting(session, browser.session, now)
        # Locked, so that of two who give one code at once the second finds it taken.
        locked = users.by_id(session, user.id)
        how = _spend(session, codes, user.id, totp.spelt(code), now)
        sign_ins.add(session, user.id, how or "code", how is not None, browser.family, now)
        return begin(session, locked, browser, now) if how and locked else None


def complete(database: Database, browser: Browser, now: datetime) -> str:
    """The token of a session that stands for its user, for one that awaited nothing but setting codes up."""
    with database.transaction() as session:
        _, user = _waiting(session, browser.session, now)
        return begin(session, user, browser, now)


def stop_codes(database: Database, user_id: int) -> None:
    """Let one's own codes go."""
    with database.transaction() as session:
        factors.forget(session, user_id)


def stop_codes_of(database: Database, user_id: int, by: Access) -> None:
    """Let another's codes go, who lost what makes them. Raises UnknownUser, Forbidden."""
    with database.transaction() as session:
        factors.forget(session, managed(session, user_id, by).id)


def read_codes(database: Database, user_id: int) -> CodesState:
    """How it is with somebody's codes."""
    with database.reading() as session:
        factor = factors.get(session, user_id)
        return CodesState(factor.confirmed_at if factor else None, factors.recovery_left(session, user_id))


def _waiting(session: Session, token: str, now: datetime) -> tuple[SessionRow, UserRow]:
    found = session_of(session, token_hash(token))
    if found is None or not found[0].awaits or now - found[0].created_at > PATIENCE:
        raise Unauthenticated("Begin again with your password at /sign-in.")
    return found


def _spend(session: Session, codes: Codes, user_id: int, code: str, now: datetime) -> str | None:
    factor = factors.get(session, user_id)
    if factor is None or factor.confirmed_at is None:
        return None
    secret = codes.box.decrypt(factor.secret, user_id)
    step = totp.step_of(secret, code, now, factor.last_step) if secret else None
    if step is not None:
        factor.last_step = step
        return "code"
    return "recovery code" if factors.spend_recovery(session, user_id, codes.hash(code)) else None


def _new_recovery(session: Session, codes: Codes, user_id: int) -> list[str]:
    made = [totp.recovery_code(codes.random(totp.RECOVERY_BYTES)) for _ in range(totp.RECOVERY_CODES)]
    factors.keep_recovery(session, user_id, map(codes.hash, made))
    return made
