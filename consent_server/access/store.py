"""What stands behind a session's cookie and a program's token."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.access.rows import SessionRow, TokenRow, UserRow
from consent_server.access.rules import Access, Grant, Role, grants_of


def session_of(session: Session, token_hash: bytes) -> tuple[SessionRow, UserRow] | None:
    """A browser's session with its user."""
    row = session.execute(
        select(SessionRow, UserRow)
        .join(UserRow, UserRow.id == SessionRow.user_id)
        .where(SessionRow.token_hash == token_hash)
    ).first()
    return None if row is None else (row[0], row[1])


def token(session: Session, token_hash: bytes) -> TokenRow | None:
    """A program's token."""
    return session.scalar(select(TokenRow).where(TokenRow.token_hash == token_hash))


def token_by_id(session: Session, token_id: int) -> TokenRow | None:
    """A token by its number."""
    return session.get(TokenRow, token_id)


def access_of_user(user: UserRow) -> Access:
    """What a user may do."""
    return Access(user.email, frozenset(Grant(Role(role), site) for role, site in user.grants), user.id)


def access_of_token(row: TokenRow) -> Access:
    """What a program may do."""
    return Access(f"token {row.id} ({row.name})", grants_of(Role(row.role), row.sites))
