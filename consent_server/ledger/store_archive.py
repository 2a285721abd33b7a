"""What visitors were shown, row by row with the hash that each is kept under: for whoever checks them."""

from collections.abc import Iterator
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.sites.rows import ConfigurationRow, NoticeRow, PictureRow

# Bodies and pictures are large: a few at a time.
PAGE = 20
T = TypeVar("T", ConfigurationRow, PictureRow)


def notices(session: Session, site_id: int) -> Iterator[NoticeRow]:
    """All of a site, oldest first."""
    query = select(NoticeRow).where(NoticeRow.site_id == site_id).order_by(NoticeRow.id)
    yield from session.scalars(query.execution_options(yield_per=PAGE))


def configurations(session: Session, site_id: int) -> Iterator[tuple[NoticeRow, ConfigurationRow]]:
    """All that a site's notices were served with, oldest first."""
    return _with_notices(session, site_id, ConfigurationRow)


def pictures(session: Session, site_id: int) -> Iterator[tuple[NoticeRow, PictureRow]]:
    """All pictures of a site's notices, oldest first."""
    return _with_notices(session, site_id, PictureRow)


def _with_notices(session: Session, site_id: int, row: type[T]) -> Iterator[tuple[NoticeRow, T]]:
    query = select(NoticeRow, row).join(NoticeRow, NoticeRow.id == row.notice_id)
    chosen = query.where(NoticeRow.site_id == site_id).order_by(row.id)
    yield from session.execute(chosen.execution_options(yield_per=PAGE))
