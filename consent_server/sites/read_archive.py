"""What visitors were shown, for good: notices and widget code by the hashes that receipts name."""

import json
from dataclasses import dataclass
from datetime import datetime

from consent_server.core.database import Database
from consent_server.core.errors import UnknownNotice, UnknownWidget
from consent_server.core.hashes import SHA256_HEX
from consent_server.sites import store_notices as notices
from consent_server.sites.rules_notice import Notice


@dataclass(frozen=True, slots=True)
class ArchivedNotice:
    """A notice, and when it first came into force."""

    notice: Notice
    since: datetime


def read_notice_bytes(database: Database, notice_hash: str) -> bytes:
    """The RFC 8785 bytes of a notice. Raises UnknownNotice."""
    _require_notice_hash(notice_hash)
    with database.reading() as session:
        return notices.body(session, notice_hash)


def read_notice(database: Database, notice_hash: str) -> ArchivedNotice:
    """Raises UnknownNotice."""
    _require_notice_hash(notice_hash)
    with database.reading() as session:
        body = json.loads(notices.body(session, notice_hash))
        return ArchivedNotice(Notice(notice_hash, body), notices.first_published_at(session, notice_hash))


def read_widget(database: Database, widget_hash: str) -> str:
    """Widget code as it was served. Raises UnknownWidget."""
    if not SHA256_HEX.fullmatch(widget_hash):
        raise UnknownWidget("Widget code is named by 64 lower-case hex digits.")
    with database.reading() as session:
        return notices.widget_code(session, widget_hash)


def _require_notice_hash(notice_hash: str) -> None:
    if not SHA256_HEX.fullmatch(notice_hash):
        raise UnknownNotice("A notice is named by 64 lower-case hex digits.")
