"""The register of visitors' requests that came to an end: what and when, and nothing of who asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, Text, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from consent_server.core.columns import Base, BigId, UtcMilliseconds

# Claims about a decision of a controller lapse in about that time.
KEPT = timedelta(days=3 * 365)


class EndedRequestRow(Base):
    """A request for erasure that was carried out, with how many records, or refused, with its reason."""

    __tablename__ = "ended_requests"
    __table_args__ = (Index(None, "site_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    ended_at: Mapped[datetime] = mapped_column(UtcMilliseconds)
    records: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(String(320))


@dataclass(frozen=True, slots=True)
class EndedRequest:
    """A line of the register. Without a reason it was carried out, and so many records went."""

    asked_at: datetime
    ended_at: datetime
    records: int
    reason: str
    who: str


def enter(session: Session, site_id: int, ended: EndedRequest) -> None:
    """Write a line, and forget those that are too old."""
    session.execute(
        delete(EndedRequestRow).where(
            EndedRequestRow.site_id == site_id, EndedRequestRow.ended_at < ended.ended_at - KEPT
        )
    )
    values = {name: getattr(ended, name) for name in EndedRequest.__slots__}
    session.add(EndedRequestRow(site_id=site_id, **values))


def newest(session: Session, site_id: int, limit: int) -> list[EndedRequest]:
    """The last lines of a site, newest first."""
    columns = [getattr(EndedRequestRow, name) for name in EndedRequest.__slots__]
    query = select(*columns).where(EndedRequestRow.site_id == site_id).order_by(EndedRequestRow.id.desc()).limit(limit)
    return [EndedRequest(*row) for row in session.execute(query)]
