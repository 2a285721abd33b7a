"""What makes people's codes, and their recovery codes."""

from collections.abc import Iterable

from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from consent_server.people.rows import RecoveryCodeRow, SecondFactorRow

CODES: Table = RecoveryCodeRow.__table__  # type: ignore[assignment]


def get(session: Session, user_id: int) -> SecondFactorRow | None:
    """A user's second factor, confirmed or not. Whoever takes a code has locked the user before."""
    return session.get(SecondFactorRow, user_id)


def begin(session: Session, user_id: int, secret: bytes) -> None:
    """Keep a secret that is yet to be confirmed, in place of an earlier one."""
    forget(session, user_id)
    session.add(SecondFactorRow(user_id=user_id, secret=secret, confirmed_at=None, last_step=0))


def forget(session: Session, user_id: int) -> None:
    """Let a user's second factor go with its recovery codes."""
    keep_recovery(session, user_id, ())
    session.execute(delete(SecondFactorRow).where(SecondFactorRow.user_id == user_id))
    session.expire_all()


def keep_recovery(session: Session, user_id: int, hashes: Iterable[str]) -> None:
    """Keep these recovery codes in place of all earlier ones."""
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
    session.add_all(RecoveryCodeRow(user_id=user_id, code_hash=code_hash) for code_hash in hashes)
    session.flush()


def spend_recovery(session: Session, user_id: int, code_hash: str) -> bool:
    """Use a recovery code up; whether there was one."""
    one = (CODES.c.user_id == user_id) & (CODES.c.code_hash == code_hash)
    return session.connection().execute(delete(CODES).where(one)).rowcount == 1


def recovery_left(session: Session, user_id: int) -> int:
    """How many recovery codes a user has."""
    return session.scalar(select(func.count()).where(RecoveryCodeRow.user_id == user_id)) or 0
