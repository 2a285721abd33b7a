"""The tables of the ledger."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base, BigId, UtcMilliseconds


class LeafRow(Base):
    """Which record a leaf commits to. `commitment` stays when the record goes."""

    __tablename__ = "leaves"
    __table_args__ = (UniqueConstraint("decision_row"), UniqueConstraint("removal_id"))

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
    """A signed entry of the ledger's own, itself a leaf: what was removed and why, or a remark.

    `rule` is that of a remark, and None for a removal.
    """

    __tablename__ = "removals"
    __table_args__ = (
        Index(None, "site_id", "id"),
        Index(
            "ix_removals_remarks",
            "site_id",
            sqlite_where=text("rule IS NOT NULL"),
            postgresql_where=text("rule IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    entry: Mapped[str] = mapped_column(Text)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    removed_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    rule: Mapped[str | None] = mapped_column(String(24))


class RemovedRow(Base):
    """A range of leaves whose records a removal names. The database lets no other record go."""

    __tablename__ = "removed"

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    first: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(BigId)
    removal_id: Mapped[int] = mapped_column(ForeignKey("removals.id"))
