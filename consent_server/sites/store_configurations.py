"""The archive of what widget code was served with to show a notice."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.core.errors import UnknownConfiguration
from consent_server.core.hashes import sha256_hex
from consent_server.sites.rows import ConfigurationRow, NoticeRow
from consent_server.sites.rules_notice import Configuration


@dataclass(frozen=True, slots=True)
class ServedConfiguration:
    """A configuration with the notice and the code that it was served with, by their hashes, and since when."""

    notice: str
    widget: str
    configuration: Configuration
    served_at: datetime


def archive(session: Session, notice_id: int, widget: str, served: Iterable[Configuration], now: datetime) -> None:
    """Keep what is served with this code from now on; each once, since when it was first."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    rows = [
        {
            "notice_id": notice_id,
            "widget": widget,
            "language": one.language,
            "hash": hash_of(one),
            "main": one.main,
            "preferences": one.preferences,
            "details": one.details,
            "served_at": now,
        }
        for one in served
    ]
    session.execute(insert(ConfigurationRow).values(rows).on_conflict_do_nothing())


def are_archived(session: Session, widget: str, served: Mapping[int, Iterable[Configuration]]) -> bool:
    """Whether this code is kept, with all that it is served with to show each of these notices (row ids)."""
    own = (ConfigurationRow.widget == widget, ConfigurationRow.notice_id.in_(served))
    rows = session.execute(
        select(ConfigurationRow.notice_id, ConfigurationRow.language, ConfigurationRow.hash).where(*own)
    )
    known = {(notice_id, language, digest) for notice_id, language, digest in rows}
    return known.issuperset(
        (notice_id, each.language, hash_of(each)) for notice_id, served_with in served.items() for each in served_with
    )


def hash_of(configuration: Configuration) -> str:
    """What a configuration is kept under: the SHA-256 of the texts of its scripts, a newline between them."""
    return sha256_hex("\n".join(configuration.parts.values()).encode())


def newest(session: Session, notice_hash: str, widget: str, language: str) -> Configuration:
    """What this code was last served with to show this notice. Raises UnknownConfiguration."""
    row = session.scalar(
        select(ConfigurationRow)
        .join(NoticeRow)
        .where(NoticeRow.hash == notice_hash, ConfigurationRow.widget == widget, ConfigurationRow.language == language)
        .order_by(ConfigurationRow.id.desc())
        .limit(1)
    )
    if row is None:
        raise UnknownConfiguration("This server has no record that this code showed this notice in this language.")
    return _configuration(row)


def widgets(session: Session, notice_hash: str) -> list[str]:
    """The code that a notice is known to have been served with, newest first."""
    rows = session.scalars(
        select(ConfigurationRow.widget)
        .join(NoticeRow)
        .where(NoticeRow.hash == notice_hash)
        .order_by(ConfigurationRow.id.desc())
    )
    return list(dict.fromkeys(rows))


def served_widget(session: Session, site_id: int, prefix: str) -> str | None:
    """The hash of code that begins so and was served for a site; None when no such code was."""
    query = select(ConfigurationRow.widget).join(NoticeRow).where(NoticeRow.site_id == site_id)
    return session.scalar(query.where(ConfigurationRow.widget.startswith(prefix)).limit(1))


def of_site(session: Session, site_id: int) -> Iterator[ServedConfiguration]:
    """All that a site was served with, oldest first."""
    rows = session.execute(
        select(NoticeRow.hash, ConfigurationRow)
        .join(NoticeRow)
        .where(NoticeRow.site_id == site_id)
        .order_by(ConfigurationRow.id)
    )
    for notice_hash, row in rows:
        yield ServedConfiguration(notice_hash, row.widget, _configuration(row), row.served_at)


def _configuration(row: ConfigurationRow) -> Configuration:
    return Configuration(row.language, row.main, row.preferences, row.details)
