"""Pictures of banners as they were shown, and which are still to be taken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.core.errors import UnknownPicture
from consent_server.core.hashes import sha256_hex
from consent_server.sites.rows import ConfigurationRow, NoticeRow, PictureRow


@dataclass(frozen=True, slots=True)
class Motif:
    """What a picture shows: a notice by code (their hashes), in one language, `width` CSS pixels wide."""

    notice: str
    widget: str
    language: str
    width: int


@dataclass(frozen=True, slots=True)
class TakenPicture:
    """A picture without its bytes: what it shows, their SHA-256, and which browser drew it when."""

    motif: Motif
    hash: str
    browser: str
    taken_at: datetime


def missing(session: Session, site_id: int, widths: Sequence[int]) -> list[Motif]:
    """What a site served and no picture shows yet, newest first."""
    served = session.execute(
        select(NoticeRow.hash, ConfigurationRow.widget, ConfigurationRow.language)
        .join(NoticeRow)
        .where(NoticeRow.site_id == site_id)
        .order_by(ConfigurationRow.id.desc())
    )
    motifs = dict.fromkeys(Motif(*row, width) for row in served for width in widths)
    taken = {picture.motif for picture in of_site(session, site_id)}
    return [motif for motif in motifs if motif not in taken]


def add(session: Session, motif: Motif, png: bytes, browser: str, now: datetime) -> bool:
    """Keep a picture; False when another was kept first."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {
        "notice_id": session.scalars(select(NoticeRow.id).where(NoticeRow.hash == motif.notice)).one(),
        "widget": motif.widget,
        "language": motif.language,
        "width": motif.width,
        "hash": sha256_hex(png),
        "png": png,
        "browser": browser,
        "taken_at": now,
    }
    kept = session.scalar(insert(PictureRow).values(row).on_conflict_do_nothing().returning(PictureRow.id))
    return kept is not None


def of_site(session: Session, site_id: int) -> Iterator[TakenPicture]:
    """All pictures of a site, oldest first."""
    yield from _taken(session, _LISTED.where(NoticeRow.site_id == site_id).order_by(PictureRow.id))


def of_notice(session: Session, notice_hash: str, widget: str, language: str) -> list[TakenPicture]:
    """The pictures of a notice by this code in this language, widest first."""
    wanted = _LISTED.where(NoticeRow.hash == notice_hash, PictureRow.widget == widget, PictureRow.language == language)
    return list(_taken(session, wanted.order_by(PictureRow.width.desc())))


def png(session: Session, notice_hash: str, picture_hash: str) -> bytes:
    """The bytes of a picture of this notice. Raises UnknownPicture."""
    found = session.scalar(
        select(PictureRow.png)
        .join(NoticeRow)
        .where(NoticeRow.hash == notice_hash, PictureRow.hash == picture_hash)
        .limit(1)
    )
    if found is None:
        raise UnknownPicture("No picture of this notice has this hash.")
    return found


# The bytes stay where they are: a list of pictures is short, what they show is not.
_LISTED = select(
    NoticeRow.hash,
    PictureRow.widget,
    PictureRow.language,
    PictureRow.width,
    PictureRow.hash,
    PictureRow.browser,
    PictureRow.taken_at,
).join(NoticeRow)


def _taken(session: Session, query: Select[str, str, str, int, str, str, datetime]) -> Iterator[TakenPicture]:
    for notice, widget, language, width, picture_hash, browser, taken_at in session.execute(query):
        yield TakenPicture(Motif(notice, widget, language, width), picture_hash, browser, taken_at)
