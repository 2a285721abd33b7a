"""The tables of notices, of what is in force, and of the code that shows it."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base, BigId, UtcMilliseconds


class NoticeRow(Base):
    """An immutable notice: its RFC 8785 bytes and their SHA-256."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class PublicationRow(Base):
    """When a site began to show a notice. The newest one of a site, and of each of its regions, is in force.

    `title` is what people call it, and None for those from before there were titles.
    """

    __tablename__ = "publications"
    __table_args__ = (Index(None, "site_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    published_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    title: Mapped[str | None] = mapped_column(String(80))
    region: Mapped[str | None] = mapped_column(String(64))


class SiteFileRow(Base):
    """The text of the site file that was applied last, with its comments."""

    __tablename__ = "site_files"

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    applied_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    # Who published it in the console; None for a command.
    applied_by: Mapped[str | None] = mapped_column(String(300))


class EarlierFileRow(Base):
    """The text of a site file that was in force until another one was applied."""

    __tablename__ = "earlier_files"
    __table_args__ = (Index(None, "site_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    text: Mapped[str] = mapped_column(Text)
    applied_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    applied_by: Mapped[str | None] = mapped_column(String(300))


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


class SiteChangesRow(Base):
    """Another `mark` after each change of what sites are or show. There is one row at most."""

    __tablename__ = "site_changes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mark: Mapped[int] = mapped_column(BigId)


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
