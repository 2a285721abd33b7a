"""The table of drafts."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base, UtcMilliseconds


class DraftRow(Base):
    """The text of a site file that somebody is still writing: one a site, and also of a site that is yet to be.

    `based_on` is the SHA-256 of the file that was in force when it was begun, "" where there was none.
    """

    __tablename__ = "drafts"

    site_key: Mapped[str] = mapped_column(String(63), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    based_on: Mapped[str] = mapped_column(String(64))
    who: Mapped[str] = mapped_column(String(300))
    saved_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
