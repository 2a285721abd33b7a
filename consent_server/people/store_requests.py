"""Who asked by mail for a new password, until they were answered."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consent_server.people.rows import PasswordRequestRow


def add(session: Session, email: str, now: datetime) -> None:
    """Write a request down."""
    session.add(PasswordRequestRow(email=email, asked_at=now))


def oldest(session: Session, after: int) -> PasswordRequestRow | None:
    """The oldest request with a higher number than this."""
    later = select(PasswordRequestRow).where(PasswordRequestRow.id > after)
    return session.scalar(later.order_by(PasswordRequestRow.id).limit(1))


def forget(session: Session, number: int) -> None:
    """Let a request go."""
    session.execute(delete(PasswordRequestRow).where(PasswordRequestRow.id == number))
