"""Have a timestamp authority (RFC 3161) say that checkpoints, notices and widget code existed: an outside holder."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof, TimestampRefused
from consent_server.core.outgoing import Unanswered, post
from consent_server.ledger import store_timestamps as timestamps
from consent_server.ledger.rfc3161 import QUERY_TYPE, REPLY_TYPE, Query, query, stamped_at
from consent_server.ledger.store_timestamps import Subject
from consent_server.sites import store as sites

# Answers hold a chain of certificates: a few KiB each.
MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom to ask, whose roots (PEM) its answers must lead to, and how often about one ledger."""

    url: str
    roots: bytes
    seconds: int


@dataclass(frozen=True, slots=True)
class Stamped:
    """What an authority saw, and when by its own clock."""

    subject: Subject
    digest: bytes
    stamped_at: datetime

    def __str__(self) -> str:
        size = f" of {self.subject.size} leaves" if self.subject.size else ""
        return f"{self.subject.kind}{size} {self.digest.hex()} at {self.stamped_at:%Y-%m-%d %H:%M:%S} UTC"


def request_timestamps(
    database: Database,
    authority: Authority,
    now: Callable[[], datetime],
    key: str | None = None,
    at_once: bool = False,
) -> Iterator[Stamped]:
    """Stamp what has no timestamp yet, of all sites or of one; each is kept before the next is asked for.

    That is every notice and archived code, once, and the newest checkpoint of a ledger that was last stamped
    `authority.seconds` ago or more, or with `at_once` whenever that was. Raises UnknownSite, and TimestampRefused at
    the first answer that does not hold: the next run begins there again.
    """
    before = None if at_once else now() - timedelta(seconds=authority.seconds)
    with database.reading() as session:
        subjects = list(_waiting(session, key, before))
    for subject in subjects:
        # No transaction is open while the authority thinks.
        yield _stamp(database, authority, subject)


def _waiting(session: Session, key: str | None, before: datetime | None) -> Iterator[Subject]:
    site_id = None if key is None else sites.get(session, key).id
    yield from timestamps.due_checkpoints(session, site_id, before)
    yield from timestamps.unstamped_notices(session, site_id)
    yield from timestamps.unstamped_widgets(session)


def _stamp(database: Database, authority: Authority, subject: Subject) -> Stamped:
    asked = query(subject.content)
    try:
        reply = _reply(authority.url, asked)
        # Nobody can tell later what a timestamp was that did not hold when it came.
        at = stamped_at(reply, asked.digest, authority.roots, asked.nonce)
    except (InvalidProof, Unanswered) as error:
        raise TimestampRefused(f"No timestamp from {authority.url}: {error}") from error
    with database.transaction() as session:
        timestamps.add(session, subject, asked.digest, reply, at)
    return Stamped(subject, asked.digest, at)


def _reply(url: str, asked: Query) -> bytes:
    answer = post(url, asked.der, QUERY_TYPE, MOST)
    if (answer.status, answer.content_type) != (200, REPLY_TYPE):
        raise InvalidProof(f"it answers {answer.status} with {answer.content_type}, not 200 with {REPLY_TYPE}")
    return answer.body
