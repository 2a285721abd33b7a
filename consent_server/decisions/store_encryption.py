"""How far the one encryption of records from before there were keys is."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consent_server.core.database import connection_of
from consent_server.decisions.rows import DecisionRow, EncryptionRow


def state(session: Session) -> EncryptionRow:
    """As it stands."""
    return session.get_one(EncryptionRow, 1)


def take_turn(session: Session) -> EncryptionRow:
    """As it stands, for this transaction to change: no two encrypt the same records."""
    return session.scalars(select(EncryptionRow).where(EncryptionRow.id == 1).with_for_update()).one()


def has_ended(session: Session) -> bool:
    """Whether every record is encrypted, and stays so."""
    query = select(EncryptionRow.ended).where(EncryptionRow.id == 1)
    return bool(connection_of(session).execute(query).scalar())


def newest_record(session: Session) -> int:
    """The highest row id of a record; 0 without one."""
    return session.scalar(select(func.max(DecisionRow.id))) or 0


def records_in_the_clear(session: Session, after: int, upto: int, limit: int) -> list[DecisionRow]:
    """Those behind a row id, oldest first, held for this transaction."""
    query = select(DecisionRow).where(DecisionRow.id > after, DecisionRow.id <= upto, DecisionRow.content.is_(None))
    # A removal under way has them first, or waits: it must know the slot of what it removes.
    return list(session.scalars(query.order_by(DecisionRow.id).limit(limit).with_for_update()))
