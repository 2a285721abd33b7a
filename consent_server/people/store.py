"""People, their sessions, and the tokens of programs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from consent_server.access.rows import SessionRow, TokenRow, UserRow
from consent_server.access.rules import Role
from consent_server.people.rows import RecoveryCodeRow, SecondFactorRow, SignInRow


def hold(session: Session) -> None:
    """Let nobody else add or change a user until this transaction ends: whoever looks first finds what others did."""
    # On SQLite a transaction that writes is alone from its beginning.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))


def by_email(session: Session, email: str) -> UserRow | None:
    """The user of a lower-case address."""
    return session.scalar(select(UserRow).where(UserRow.email == email))


def by_id(session: Session, user_id: int) -> UserRow | None:
    """The user of a row id, locked until the transaction ends, so that one link is used once."""
    return session.scalar(select(UserRow).where(UserRow.id == user_id).with_for_update())


def by_subject(session: Session, subject: str) -> UserRow | None:
    """The user whom the provider calls so, by the hash of its name and theirs."""
    return session.scalar(select(UserRow).where(UserRow.subject == subject))


def every(session: Session) -> Sequence[UserRow]:
    """All users, by address."""
    return session.scalars(select(UserRow).order_by(UserRow.email)).all()


def operators(session: Session) -> Sequence[UserRow]:
    """The operators of all sites, who has been here longest first."""
    return [
        user
        for user in session.scalars(select(UserRow).order_by(UserRow.id))
        if any(role == Role.OPERATOR and site is None for role, site in user.grants)
    ]


def remove(session: Session, user: UserRow) -> None:
    """Remove a user with all that is kept of them, and sign them out everywhere."""
    end_sessions(session, user.id)
    for kept in (SignInRow, RecoveryCodeRow, SecondFactorRow):
        session.execute(delete(kept).where(kept.user_id == user.id))
    session.flush()
    session.delete(user)


def begin_session(
    session: Session, token_hash: bytes, user_id: int, browser: str, now: datetime, awaits: str | None
) -> None:
    """Sign a browser in, or begin to."""
    row = SessionRow(token_hash=token_hash, user_id=user_id, browser=browser, created_at=now, seen_at=now)
    row.awaits = awaits
    session.add(row)


def sessions_of(session: Session, user_id: int) -> Sequence[SessionRow]:
    """A user's sessions, the one that was used last first."""
    own = select(SessionRow).where(SessionRow.user_id == user_id, SessionRow.awaits.is_(None))
    return session.scalars(own.order_by(SessionRow.seen_at.desc(), SessionRow.token_hash)).all()


def end_session(session: Session, token_hash: bytes) -> None:
    """Sign a browser out."""
    session.execute(delete(SessionRow).where(SessionRow.token_hash == token_hash))


def end_sessions(session: Session, user_id: int) -> None:
    """Sign a user out of every browser."""
    session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))


def end_idle_sessions(session: Session, seen_before: datetime, begun_before: datetime) -> None:
    """Let go of sessions that are over."""
    session.execute(
        delete(SessionRow).where((SessionRow.seen_at < seen_before) | (SessionRow.created_at < begun_before))
    )


def tokens(session: Session) -> Sequence[TokenRow]:
    """All tokens, oldest first."""
    return session.scalars(select(TokenRow).order_by(TokenRow.id)).all()
