"""Tokens by which programs ask: shown once, kept as a hash."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from consent_server.access.credentials import new_token, token_hash
from consent_server.access.rows import TokenRow
from consent_server.access.rules import Access, Role, grants_of
from consent_server.access.store import token_by_id
from consent_server.core.database import Database
from consent_server.core.errors import Fault, InvalidUser, UnknownToken
from consent_server.core.rules_text import normal_text, text_fault
from consent_server.people import store as users
from consent_server.people.invite import COMMAND_LINE, known_sites, require_may_give

# Scanners for leaked secrets look for a prefix.
PREFIX = "consent_"
LONGEST_NAME = 100
LIFETIME = timedelta(days=365)


def create_token(
    database: Database, role: Role, sites: Sequence[str] | None, name: str, now: datetime,
    lifetime: timedelta | None = LIFETIME, by: Access = COMMAND_LINE,
) -> str:  # fmt: skip
    """A new token, in the only moment at which it can be read; None as `lifetime`: until it is revoked.

    Raises UnknownSite, InvalidUser, Forbidden.
    """
    name = normal_text(name)
    if not 1 <= len(name) <= LONGEST_NAME or text_fault(name):
        raise InvalidUser(
            "This cannot be the name of a token.",
            [Fault("--name", f"Must be one line of 1 to {LONGEST_NAME} characters that are seen.")],
        )
    token = PREFIX + new_token()
    with database.transaction() as session:
        known = known_sites(session, sites)
        require_may_give(by, grants_of(role, known))
        session.add(
            TokenRow(
                name=name,
                role=role.value,
                sites=known,
                token_hash=token_hash(token),
                created_at=now,
                expires_at=None if lifetime is None else now + lifetime,
            )
        )
    return token


def revoke_token(database: Database, token_id: int, now: datetime, by: Access = COMMAND_LINE) -> str:
    """Make a token worthless, and return its name. Raises UnknownToken."""
    with database.transaction() as session:
        row = token_by_id(session, token_id)
        if row is None or not _may_see(by, row):
            raise UnknownToken(f"There is no token {token_id}. To list all tokens: consent token list")
        row.revoked_at = row.revoked_at or now
        return row.name


def list_tokens(database: Database, by: Access = COMMAND_LINE) -> Sequence[TokenRow]:
    """The tokens that this person could have made, oldest first."""
    with database.reading() as session:
        return [row for row in users.tokens(session) if _may_see(by, row)]


def _may_see(by: Access, row: TokenRow) -> bool:
    return by.may_give(grants_of(Role(row.role), row.sites))
