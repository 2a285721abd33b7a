"""The tables of how people sign in."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
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
