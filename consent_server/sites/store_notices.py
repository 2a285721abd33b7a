"""Notices, their publications, and the archive of served widget code."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.core.errors import UnknownNotice, UnknownWidget
from consent_server.sites.rows import NoticeRow, PublicationRow, WidgetRow
from consent_server.sites.rules_notice import Notice


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A notice with the id that its rows refer to."""

    id: int
    notice: Notice


class Publication(NamedTuple):
    """When a site began to show a notice; `title` is None where it is from before there were titles."""

    notice: str
    published_at: datetime
    title: str | None


def in_force_id(session: Session, site_id: int) -> int | None:
    """The row id of the notice that a site shows where no region has another; None before the first publication."""
    own = (PublicationRow.site_id == site_id, PublicationRow.region.is_(None))
    newest = select(PublicationRow.notice_id).where(*own)
    return session.scalar(newest.order_by(PublicationRow.id.desc()).limit(1))


def regions_in_force(session: Session, site_id: int) -> dict[str, tuple[int, str]]:
    """By the key of a region, also of one that the site no longer has: row id and hash of what was shown there last."""
    rows = session.execute(
        select(PublicationRow.region, NoticeRow.id, NoticeRow.hash)
        .join(NoticeRow, NoticeRow.id == PublicationRow.notice_id)
        .where(PublicationRow.site_id == site_id, PublicationRow.region.is_not(None))
        .order_by(PublicationRow.id)
    )
    return {region: (notice_id, notice_hash) for region, notice_id, notice_hash in rows if region is not None}


def in_force(session: Session, site_id: int) -> StoredNotice | None:
    """The notice that a site shows now; None before the first publication."""
    notice_id = in_force_id(session, site_id)
    return None if notice_id is None else _stored(session.get_one(NoticeRow, notice_id))


def of_site(session: Session, site_id: int, notice_hash: str) -> StoredNotice | None:
    """A notice that this site once published, by hash."""
    row = session.scalar(select(NoticeRow).where(NoticeRow.hash == notice_hash, NoticeRow.site_id == site_id))
    return None if row is None else _stored(row)


def body(session: Session, notice_hash: str) -> bytes:
    """The RFC 8785 bytes of a notice. Raises UnknownNotice."""
    found = session.scalar(select(NoticeRow.body).where(NoticeRow.hash == notice_hash))
    if found is None:
        raise UnknownNotice("No notice has this hash.")
    return found


def hashes(session: Session, site_id: int) -> dict[int, str]:
    """The hash of every notice of a site by row id, oldest first."""
    rows = session.execute(select(NoticeRow.id, NoticeRow.hash).where(NoticeRow.site_id == site_id))
    return dict(sorted((row_id, notice_hash) for row_id, notice_hash in rows))


def bodies(session: Session, site_id: int, first: int) -> dict[str, bytes]:
    """The bodies of a site's notices by hash, from a row id on."""
    since = (NoticeRow.site_id == site_id, NoticeRow.id >= first)
    return {row.hash: row.body for row in session.execute(select(NoticeRow.hash, NoticeRow.body).where(*since))}


def first_published_at(session: Session, notice_hash: str) -> datetime:
    """When a notice came into force for the first time. Raises UnknownNotice."""
    found = session.scalar(select(NoticeRow.created_at).where(NoticeRow.hash == notice_hash))
    if found is None:
        raise UnknownNotice("No notice has this hash.")
    return found


def store(session: Session, site_id: int, notice_hash: str, notice_body: bytes, now: datetime) -> int:
    """Keep a notice, once; return its id."""
    notice_id = session.scalar(select(NoticeRow.id).where(NoticeRow.hash == notice_hash))
    if notice_id is None:
        row = NoticeRow(site_id=site_id, hash=notice_hash, body=notice_body, created_at=now)
        session.add(row)
        session.flush()
        notice_id = row.id
    return notice_id


def publish(
    session: Session, site_id: int, notice_id: int, now: datetime, title: str, region: str | None = None
) -> None:
    """Put a stored notice in force under a title, on the whole site or in one region. An earlier one may come back."""
    row = PublicationRow(site_id=site_id, notice_id=notice_id, published_at=now, title=title, region=region)
    session.add(row)
    session.flush()


def publications(session: Session, site_id: int, own: bool = False) -> list[Publication]:
    """Each publication of a site, oldest first; with `own`, without those of its regions."""
    rows = session.execute(
        select(NoticeRow.hash, PublicationRow.published_at, PublicationRow.title)
        .join(NoticeRow, NoticeRow.id == PublicationRow.notice_id)
        .where(PublicationRow.site_id == site_id, *([PublicationRow.region.is_(None)] if own else []))
        .order_by(PublicationRow.id)
    )
    return [Publication(*row) for row in rows]


def archive_widget(session: Session, widget_hash: str, code: str, now: datetime) -> None:
    """Keep the served code, once."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {"hash": widget_hash, "code": code, "created_at": now}
    session.execute(insert(WidgetRow).values(row).on_conflict_do_nothing())


def widget_code(session: Session, widget_hash: str) -> str:
    """Archived widget code. Raises UnknownWidget."""
    code = session.scalar(select(WidgetRow.code).where(WidgetRow.hash == widget_hash))
    if code is None:
        raise UnknownWidget("No widget code with this hash was ever served from here.")
    return code


def _stored(row: NoticeRow) -> StoredNotice:
    return StoredNotice(row.id, Notice(row.hash, json.loads(row.body)))
