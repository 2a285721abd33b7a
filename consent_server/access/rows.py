"""The tables of people, programs and look-ups."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base, BigId, UtcMilliseconds


class UserRow(Base):
    """A person who signs in. `grants` are pairs of a role and the key of a site, null for all sites.

    `link_hash` is the SHA-256 of what is in the only one-time link that counts; null once that is used.
    """

    __tablename__ = "users"
    __table_args__ = (Index(None, "subject", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    # Never null, though SQLite could not be told so when the column was added.
    grants: Mapped[list[tuple[str, str | None]]] = mapped_column(JSON, nullable=True)
    link_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    # SHA-256 of issuer and subject of the OpenID provider, once they came that way.
    subject: Mapped[str | None] = mapped_column(String(64))


class SessionRow(Base):
    """Where somebody is signed in, by the SHA-256 of the cookie: who reads the database cannot sign in with it."""

    __tablename__ = "sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    seen_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    # Its family, such as "Firefox", and nothing that tells one of a family from another.
    browser: Mapped[str | None] = mapped_column(String(16))
    # What is still to come before it stands for its user: a code, or setting codes up. Null: nothing.
    awaits: Mapped[str | None] = mapped_column(String(8))


class TokenRow(Base):
    """A program's access, by the SHA-256 of its token. When it was used is known to the day only."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    sites: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    last_used_on: Mapped[date | None]
    revoked_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    expires_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)


class LookupRow(Base):
    """Who looked at which records of a site. `subject` never holds an identifier of a visitor."""

    __tablename__ = "lookups"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    who: Mapped[str] = mapped_column(String(300))
    what: Mapped[str] = mapped_column(String(16))
    subject: Mapped[dict[str, Any]] = mapped_column(JSON)
