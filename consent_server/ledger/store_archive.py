"""What visitors were shown, row by row with the hash that each is kept under: for whoever checks them."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.sites.rows import ConfigurationRow, NoticeRow, PictureRow

# Bodies and pictures are large: a few at a time.
PAGE = 20


def notices(session: Session, site_id: int) -> Iterator[NoticeRow]:
    """All of a site, oldest first."""
    query = select(NoticeRow).where(NoticeRow.site_id == site_id).order_by(NoticeRow.id)
    yield from session.scalars(query.execution_options(yield_per=PAGE))


def configurations(session: Session, site_id: int) -> Iterator[tuple[NoticeRow, ConfigurationRow]]:
    """All that a site's notices were served with, oldest first."""
    query = select(NoticeRow, ConfigurationRow).join(NoticeRow, NoticeRow.id == ConfigurationRow.notice_id)
    chosen = query.where(NoticeRow.site_id == site_id).order_by(ConfigurationRow.id)
    yield from session.execute(chosen.execution_options(yield_per=PAGE))


def pictures(session: Session, site_id: int) -> Iterator[tuple[NoticeRow, PictureRow]]:
    """All pictures of a site's notices, oldest first."""
    query = select(NoticeRow, PictureRow).join(NoticeRow, NoticeRow.id == PictureRow.notice_id)
    chosen = query.where(NoticeRow.site_id == site_id).order_by(PictureRow.id)
    yield from session.execute(chosen.execution_options(yield_per=PAGE))
