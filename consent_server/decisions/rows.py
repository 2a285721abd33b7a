"""The tables of decisions and of their counters."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    and_,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base, BigId, UtcMilliseconds, UuidBytes


class DecisionRow(Base):
    """A decision and its receipt, in one row so that neither is ever there without the other.

    What identifies is in `content`, encrypted under the key of a slot (rules_contents.py), and `commitment` is what
    becomes its leaf; records are looked up by tags. `granted` is the granted keys between spaces, for look-ups.
    Without a content the row is from before there were any: the three have the identifiers, and what is `plain`
    stands in the clear.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("site_id", "decision_id"),
        Index(None, "site_id", "id"),
        Index(
            "ix_decisions_visitor",
            "visitor",
            sqlite_where=text("visitor IS NOT NULL"),
            postgresql_where=text("visitor IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    decision_tag: Mapped[UUID] = mapped_column("decision_id", UuidBytes)
    receipt_tag: Mapped[UUID] = mapped_column("receipt_id", UuidBytes, unique=True)
    visitor_tag: Mapped[UUID | None] = mapped_column("visitor", UuidBytes)
    action: Mapped[str] = mapped_column(String(16))
    method: Mapped[str] = mapped_column(String(16))
    change: Mapped[bool]
    gpc: Mapped[bool]
    stale: Mapped[bool]
    language: Mapped[str] = mapped_column(String(16))
    granted: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    plain_request_hash: Mapped[bytes] = mapped_column("request_hash", LargeBinary(32))
    plain_salt: Mapped[bytes] = mapped_column("salt", LargeBinary(32))
    plain_receipt: Mapped[str] = mapped_column("receipt", Text)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_chunk: Mapped[int | None] = mapped_column(BigId)
    key_slot: Mapped[int | None]
    commitment: Mapped[bytes | None] = mapped_column(LargeBinary(32))


# For the auditor's list, newest first: each filter of contract 4.5 is a scan of the start of one of these.
# Any action at all is five such scans side by side, so that no third index is needed.
Index(None, DecisionRow.site_id, DecisionRow.action, DecisionRow.recorded_at, DecisionRow.id)
Index(None, DecisionRow.notice_id, DecisionRow.action, DecisionRow.recorded_at, DecisionRow.id)
# Who accepted or refused everything granted what the notice names, or nothing. Of a choice in between only its own
# text tells, so these few are also in the order of what they granted. A start of the text: PostgreSQL refuses a
# record whose index entry is over 2,700 bytes, and the purposes come first.
granted_start = func.substr(DecisionRow.granted, literal_column("1"), literal_column("200"))
# Written out, never parameters: only so do the planners see that a query means this index.
is_choice = and_(DecisionRow.granted != literal_column("''"), DecisionRow.action != literal_column("'accept_all'"))
Index(
    "ix_decisions_choices",
    DecisionRow.notice_id,
    DecisionRow.action,
    granted_start,
    DecisionRow.recorded_at,
    DecisionRow.id,
    sqlite_where=is_choice,
    postgresql_where=is_choice,
)


class RecordKeyRow(Base):
    """A secret from which keys of records are derived (rules_record_keys.py)."""

    __tablename__ = "record_keys"
    __table_args__ = ({"sqlite_with_rowid": False},)

    site_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chunk: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    node: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    secret: Mapped[bytes] = mapped_column(LargeBinary(32))


class EncryptionRow(Base):
    """How far the one encryption of records from before there were keys is; the only row has the id 1.

    Records up to `encrypted_to` have a content, those after `begun_to` were new when it began. `rewritten`: since its
    end the files of the database were written anew, and hold nothing any more that stood in the clear.
    """

    __tablename__ = "encryption"

    id: Mapped[int] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    begun_to: Mapped[int] = mapped_column(BigId)
    encrypted_to: Mapped[int] = mapped_column(BigId)
    ended: Mapped[bool]
    rewritten: Mapped[bool]


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

    `counter` is the text of a CounterName (rules_tally.py): what was granted together is not kept.
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


class TagSightingRow(Base):
    """When a page of an origin last sent something that was taken: the site's tag is at work there."""

    __tablename__ = "tag_sightings"
    __table_args__ = ({"sqlite_with_rowid": False},)

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    origin: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class RefusedRow(Base):
    """How many posts of one origin were refused for one reason on a day of the site's clock.

    `reason` is the name of a problem's page, `origin` that of an Origin header. The rows of no day and no origin are
    sums since the first.
    """

    __tablename__ = "refused_posts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    origin: Mapped[str] = mapped_column(String(100), primary_key=True)
    count: Mapped[int] = mapped_column(BigId)
