"""The log of who signed in, or tried to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from consent_server.people.rows import SignInRow

TABLE: Table = SignInRow.__table__  # type: ignore[assignment]


def add(session: Session, user_id: int | None, how: str, succeeded: bool, browser: str, now: datetime) -> None:
    """Write an attempt down."""
    session.add(SignInRow(user_id=user_id, at=now, how=how, succeeded=succeeded, browser=browser))


def newest(session: Session, user_id: int, limit: int) -> Sequence[SignInRow]:
    """A user's attempts, newest first."""
    own = select(SignInRow).where(SignInRow.user_id == user_id)
    return session.scalars(own.order_by(SignInRow.id.desc()).limit(limit)).all()


def last_seen(session: Session) -> dict[int, datetime]:
    """When each user signed in last, by row id."""
    query = select(SignInRow.user_id, func.max(SignInRow.at)).where(SignInRow.succeeded, SignInRow.user_id.is_not(None))
    return {user_id: at for user_id, at in session.execute(query.group_by(SignInRow.user_id)) if user_id is not None}


def forget(session: Session, before: datetime, most: int) -> int:
    """Delete attempts from before a time, and all but the newest so many; return how many."""
    newest_id = session.scalar(select(func.max(SignInRow.id))) or 0
    over = (TABLE.c.at < before) | (TABLE.c.id <= newest_id - most)
    return session.connection().execute(delete(TABLE).where(over)).rowcount
