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
    """A person who signs in. `nonce` is in the newest one-time link and changes when that is used or replaced.

    `sites` are the keys of the sites they see, None for all.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    sites: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    password_hash: Mapped[str | None] = mapped_column(Text)
    nonce: Mapped[bytes] = mapped_column(LargeBinary(16))
    created_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class SessionRow(Base):
    """A browser that is signed in, by the SHA-256 of its cookie: who reads the database cannot sign in with it."""

    __tablename__ = "sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    seen_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


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
