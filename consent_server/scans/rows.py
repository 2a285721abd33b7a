"""The table of scans that a server makes of its own sites."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base, UtcMilliseconds


class ScanRow(Base):
    """A scan that somebody asked for, or that was due. `wrong` and `unseen` count what it says, in `scan` as JSON.

    `who` is None where it was due. `failure` says why it saw nothing. `pictures`: base64 by state, of the newest alone.
    """

    __tablename__ = "scans"
    __table_args__ = (Index(None, "site_id", "id"), Index(None, "finished_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    url: Mapped[str] = mapped_column(String(2000))
    who: Mapped[str | None] = mapped_column(String(300))
    asked_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    started_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    finished_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    failure: Mapped[str | None] = mapped_column(Text)
    wrong: Mapped[int | None] = mapped_column(Integer)
    unseen: Mapped[int | None] = mapped_column(Integer)
    # Megabytes together, and a list shows neither.
    scan: Mapped[str | None] = mapped_column(Text, deferred=True)
    pictures: Mapped[str | None] = mapped_column(Text, deferred=True)
