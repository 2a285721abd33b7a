"""The tables of how people sign in."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base, BigId, UtcMilliseconds


class SignInRow(Base):
    """An attempt to sign in: no network, of the browser its family. `user_id` is null where nobody has the address."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    how: Mapped[str] = mapped_column(String(16))
    succeeded: Mapped[bool]
    browser: Mapped[str] = mapped_column(String(16))


class SecondFactorRow(Base):
    """What makes a user's codes, encrypted. It counts once `confirmed_at` says that a code of it was given.

    `last_step` is that of the last code that was taken.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    secret: Mapped[bytes] = mapped_column(LargeBinary(64))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    last_step: Mapped[int] = mapped_column(BigInteger)


class RecoveryCodeRow(Base):
    """A recovery code that was not used yet, by a keyed hash."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    code_hash: Mapped[str] = mapped_column(String(43), primary_key=True)


class PasswordRequestRow(Base):
    """Somebody asked by mail for a new password. Whether anybody has the address is looked up later, elsewhere."""

    __tablename__ = "password_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    asked_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
