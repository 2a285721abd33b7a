"""The tables of counters: an inbox, and roll-ups."""

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base, BigId


class TallyRow(Base):
    """The inbox of counters: how often something happened, for seconds, until it is folded into roll-ups.

    `slot` keeps processes from waiting for each other; `hour` is the site's own clock. The key has the SHA-256 of
    `outcome`: PostgreSQL refuses an index entry of over 2,700 bytes, and fifty vendors have longer names.
    """

    __tablename__ = "tallies"
    __table_args__ = (
        UniqueConstraint(
            "slot", "site_id", "notice_id", "hour", "language", "device", "country", "outcome_hash",
            name="uq_tallies_cell",
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    slot: Mapped[int]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    hour: Mapped[str] = mapped_column(String(13))
    language: Mapped[str] = mapped_column(String(16))
    device: Mapped[str] = mapped_column(String(8))
    country: Mapped[str] = mapped_column(String(2))
    outcome: Mapped[str] = mapped_column(Text)
    outcome_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    count: Mapped[int] = mapped_column(BigId)


class RollUpRow(Base):
    """One counter of an hour, of a day, or of a day in one language, device or country.

    `counter` is one of the names in domain/tally.py: what was granted together is not kept.
    """

    __tablename__ = "roll_ups"
    __table_args__ = ({"sqlite_with_rowid": False},)

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    period: Mapped[str] = mapped_column(String(13), primary_key=True)
    value: Mapped[str] = mapped_column(String(16), primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    counter: Mapped[str] = mapped_column(String(96), primary_key=True)
    count: Mapped[int] = mapped_column(BigId)
