"""The tables, one class each, without methods."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ForeignKey,
    ForeignKeyConstraint,
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


class SiteRow(Base):
    """A site's settings: what changes without a new notice."""

    __tablename__ = "sites"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(Text)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)


class NoticeRow(Base):
    """An immutable notice: its RFC 8785 bytes and their SHA-256."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class PublicationRow(Base):
    """When a site began to show a notice. The newest one of a site is in force."""

    __tablename__ = "publications"
    __table_args__ = (Index(None, "site_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    published_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class ExperimentArmRow(Base):
    """An arm of an experiment: what it shows and how many views of 100 it gets, the control among them.

    Rows stay when the experiment ends; nothing of them changes but `ended_at` and, once, `promoted`.
    """

    __tablename__ = "experiment_arms"
    __table_args__ = (UniqueConstraint("site_id", "experiment", "arm"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    experiment: Mapped[str] = mapped_column(String(64))
    arm: Mapped[str] = mapped_column(String(64))
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    weight: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    ended_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    promoted: Mapped[bool] = mapped_column(default=False)


class WidgetRow(Base):
    """The widget code as it was served, kept by its SHA-256 (CNIL 2020-092: the code's hash is proof)."""

    __tablename__ = "widgets"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class ConfigurationRow(Base):
    """What widget code was called with to show a notice: the JSON texts as served, and since when.

    The vendor ids in them are settings, so that one notice may have several. `hash` is the SHA-256 of the texts
    with a newline between them. Code from before there was a third script has no `details`.
    """

    __tablename__ = "configurations"
    __table_args__ = (UniqueConstraint("notice_id", "widget", "language", "hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    widget: Mapped[str] = mapped_column(ForeignKey("widgets.hash"))
    language: Mapped[str] = mapped_column(String(16))
    hash: Mapped[str] = mapped_column(String(64))
    main: Mapped[str] = mapped_column(Text)
    preferences: Mapped[str] = mapped_column(Text)
    served_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    details: Mapped[str | None] = mapped_column(Text)


class PictureRow(Base):
    """A picture (PNG) of a banner as a browser drew it, `width` CSS pixels wide (CNIL 2020-092: a dated screenshot)."""

    __tablename__ = "pictures"
    __table_args__ = (UniqueConstraint("notice_id", "widget", "language", "width"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    widget: Mapped[str] = mapped_column(ForeignKey("widgets.hash"))
    language: Mapped[str] = mapped_column(String(16))
    width: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    png: Mapped[bytes] = mapped_column(LargeBinary)
    browser: Mapped[str] = mapped_column(Text)
    taken_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class DecisionRow(Base):
    """A decision and its receipt, in one row so that neither is ever there without the other.

    `request_hash` tells a repeated post from another decision under the same id; `salt` hides the
    receipt in the public ledger; `granted` is the granted keys between spaces, for look-ups.
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
    decision_id: Mapped[UUID] = mapped_column(UuidBytes)
    receipt_id: Mapped[UUID] = mapped_column(UuidBytes, unique=True)
    visitor: Mapped[UUID | None] = mapped_column(UuidBytes)
    action: Mapped[str] = mapped_column(String(16))
    method: Mapped[str] = mapped_column(String(16))
    change: Mapped[bool]
    gpc: Mapped[bool]
    stale: Mapped[bool]
    language: Mapped[str] = mapped_column(String(16))
    granted: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    receipt: Mapped[str] = mapped_column(Text)


class LedgerRow(Base):
    """How far a site's ledger is sealed. Whoever holds this row's lock is the one writer of the ledger.

    `origin` is fixed when the site is first applied: it names the ledger even after the server moves.
    `decisions_to` and `removals_to` are the last row ids that have a leaf.
    """

    __tablename__ = "ledgers"

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True, autoincrement=False)
    origin: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigId, default=0)
    decisions_to: Mapped[int] = mapped_column(BigId, default=0)
    removals_to: Mapped[int] = mapped_column(BigId, default=0)


class LeafRow(Base):
    """Which record a leaf commits to. `commitment` stays when the record goes."""

    __tablename__ = "leaves"
    __table_args__ = (
        UniqueConstraint("decision_row"),
        UniqueConstraint("removal_id"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    leaf_index: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    commitment: Mapped[bytes] = mapped_column(LargeBinary(32))
    decision_row: Mapped[int | None] = mapped_column(BigId)
    removal_id: Mapped[int | None] = mapped_column(ForeignKey("removals.id"))


class TileRow(Base):
    """The widest version so far of a C2SP tile: it only grows at its end."""

    __tablename__ = "tiles"

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


class CheckpointRow(Base):
    """A signed checkpoint of a ledger (docs/formats/checkpoint.md)."""

    __tablename__ = "checkpoints"

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    size: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)
    sealed_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class CosignatureRow(Base):
    """A witness's signature line under a checkpoint, the first that it gave for that size.

    `witness` is the name of its key. `cosigned_at` is what the witness swears to, in whole seconds.
    """

    __tablename__ = "cosignatures"
    __table_args__ = (ForeignKeyConstraint(["site_id", "size"], ["checkpoints.site_id", "checkpoints.size"]),)

    site_id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(Text, primary_key=True)
    key_id: Mapped[bytes] = mapped_column(LargeBinary(4), primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    cosigned_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class TimestampRow(Base):
    """An authority's answer (RFC 3161, TimeStampResp in DER) about what has this SHA-256.

    `size` is that of a checkpoint, whose note as stored is stamped. A notice and the widget's code are named by
    their hash, which is the digest; code belongs to no one site. `stamped_at` is the authority's own time.
    """

    __tablename__ = "timestamps"
    __table_args__ = (Index(None, "site_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[str] = mapped_column(String(16))
    size: Mapped[int | None] = mapped_column(BigId)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    reply: Mapped[bytes] = mapped_column(LargeBinary)
    stamped_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class RemovalRow(Base):
    """A signed entry that says what was removed from the records and why; itself a leaf of the ledger."""

    __tablename__ = "removals"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    entry: Mapped[str] = mapped_column(Text)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    removed_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class RemovedRow(Base):
    """A range of leaves whose records a removal names. The database lets no other record go."""

    __tablename__ = "removed"

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    first: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(BigId)
    removal_id: Mapped[int] = mapped_column(ForeignKey("removals.id"))


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
