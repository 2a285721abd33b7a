"""The tables of alerts and their way to those who want to be told, and of reports that are shared."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base, UtcMilliseconds


class AlertRow(Base):
    """Something that was worth a look: once for what it is about, whoever finds it again."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("site_id", "kind", "subject", "period"), Index(None, "site_id", "raised_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(80))
    period: Mapped[str] = mapped_column(String(13))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    raised_at: Mapped[datetime] = mapped_column(UtcMilliseconds)


class SharedReportRow(Base):
    """A link to a report that somebody shared. What it shows stands in the link alone."""

    __tablename__ = "shared_reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    who: Mapped[str] = mapped_column(String(300))
    shared_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    until: Mapped[datetime] = mapped_column(UtcMilliseconds)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)


class AnnotationRow(Base):
    """A remark on a day of a site, in words of whoever reads its rates."""

    __tablename__ = "annotations"
    __table_args__ = (Index(None, "site_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    day: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(String(80))


class WeeklyMailRow(Base):
    """The mail about a week of a site, which is named by its Monday. Nothing is due where `next_try_at` is null.

    Then it was taken by the mail server, or given up. `failure` is why the last attempt failed.
    """

    __tablename__ = "weekly_mails"
    __table_args__ = (Index(None, "next_try_at"),)

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True, autoincrement=False)
    week: Mapped[str] = mapped_column(String(10), primary_key=True)
    due_since: Mapped[datetime] = mapped_column(UtcMilliseconds)
    attempts: Mapped[int]
    next_try_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    failure: Mapped[str | None] = mapped_column(Text)


class DeliveryRow(Base):
    """An alert on its way through one channel. Nothing is due any more where `next_try_at` is null.

    Then it was delivered, or given up. `failure` is why the last attempt failed.
    """

    __tablename__ = "deliveries"
    __table_args__ = (Index(None, "channel", "next_try_at"),)

    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(8), primary_key=True)
    attempts: Mapped[int]
    next_try_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcMilliseconds)
    failure: Mapped[str | None] = mapped_column(Text)
