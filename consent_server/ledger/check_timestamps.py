"""Check every kept timestamp of a site against what it stamps and the authority's roots."""

from hashlib import sha256

from consent_server.core.database import LONG, Database, Session
from consent_server.core.errors import InvalidProof, UnknownNotice, UnknownWidget
from consent_server.ledger import store as ledgers
from consent_server.ledger import store_timestamps as timestamps
from consent_server.ledger.rfc3161 import stamped_at
from consent_server.ledger.rows import TimestampRow
from consent_server.ledger.rules_report import Report
from consent_server.sites import store as sites
from consent_server.sites import store_notices as notices


def check_timestamps(database: Database, roots: bytes | None, key: str) -> Report:
    """Verify every timestamp that concerns a site, with the authority's roots (PEM). Raises UnknownSite."""
    report = Report()
    with database.reading(LONG) as session:
        for row in timestamps.of_site(session, sites.get(session, key).id):
            try:
                report.counts[_check(session, row, roots)] += 1
            except (InvalidProof, UnknownNotice, UnknownWidget) as error:
                report.add(f"timestamp {row.digest.hex()} of a {row.kind}", False, error.detail)
    return report


def _check(session: Session, row: TimestampRow, roots: bytes | None) -> str:
    if sha256(_content(session, row)).digest() != row.digest:
        raise InvalidProof("what it stamps was altered since")
    if roots is None:
        return "timestamps: not checked, CONSENT_TIMESTAMP_ROOTS_FILE is not set"
    if stamped_at(row.reply, row.digest, roots) != row.stamped_at:
        raise InvalidProof("the authority names another time than the one beside it")
    return "timestamps hold"


def _content(session: Session, row: TimestampRow) -> bytes:
    if row.kind == "notice":
        return notices.body(session, row.digest.hex())
    if row.kind == "widget":
        return notices.widget_code(session, row.digest.hex()).encode()
    note = ledgers.note_of_size(session, row.site_id or 0, row.size or 0)
    if note is None:
        raise InvalidProof(f"the checkpoint of {row.size} leaves is gone")
    return note.encode()
