"""Take away what proves a site's records to a third party: one zip, streamed (docs/formats/evidence.md)."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple
from datetime import datetime
from functools import partial
from itertools import chain, takewhile
from operator import attrgetter
from typing import TypeVar

from consent_server.audit.pack import (
    PackConfiguration,
    PackContents,
    PackEntry,
    PackPicture,
    PackPublication,
    PackTimestamp,
    stream_pack,
)
from consent_server.core.database import LONG, Database, Session
from consent_server.core.errors import InvalidProof, UnknownNotice, UnknownWidget
from consent_server.core.keys import KeyRing
from consent_server.ledger import store as ledgers
from consent_server.ledger import store_cosignatures as cosignatures
from consent_server.ledger import store_remarks
from consent_server.ledger import store_timestamps as timestamps
from consent_server.ledger.rules import Tree, leaf_hash
from consent_server.ledger.rules_removal import range_over
from consent_server.ledger.rules_witness import CosignedCheckpoint
from consent_server.ledger.seal import seal_ledger
from consent_server.ledger.store import SealedEntry
from consent_server.sites import store as sites
from consent_server.sites import store_configurations as configurations
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from consent_server.sites import store_pictures as pictures
from consent_server.sites.notice_titles import notice_titles, titled_publications

PAGE = 500
T = TypeVar("T")


def export_evidence(
    database: Database,
    ring: KeyRing,
    public_url: str,
    now: Callable[[], datetime],
    key: str,
    since: datetime | None,
    until: datetime | None,
    progress: Callable[[int], None] = lambda _: None,
) -> Generator[bytes]:
    """The pack of a site in pieces; times are aware UTC, None for no bound. Raises UnknownSite.

    Sealed first, then read in one snapshot: what is recorded meanwhile is for the next pack.
    """
    with database.reading(LONG) as session:
        site_id = sites.get(session, key).id
    # What somebody changed is not sealed over. It is exported as it is: saying so is for the verifier.
    with suppress(InvalidProof):
        seal_ledger(database, ring, now, site_id)
    with database.snapshot(LONG) as session:
        yield from stream_pack(_contents(session, ring, public_url, now(), key, since, until), progress)


def _contents(
    session: Session,
    ring: KeyRing,
    public_url: str,
    now: datetime,
    key: str,
    since: datetime | None,
    until: datetime | None,
) -> PackContents:
    stored = sites.get(session, key)
    size = ledgers.sealed_size(session, stored.id)
    first, end = ledgers.sealed_range(session, stored.id, since, until)
    reader = _Entries(session, stored.id, Tree(size, ledgers.tile_reader(session, stored.id)))
    return PackContents(
        issuer=public_url,
        site=stored.site.key,
        ledger=ledgers.get(session, stored.id).origin,
        since=since,
        until=until,
        generated_at=now,
        first=first,
        end=end,
        tree_size=size,
        jwks=ring.public_jwks(),
        entries=reader.between(first, end),
        removals=reader.removals,
        remarks=list(reader.removals([index for index, _, _ in store_remarks.sealed(session, stored.id)])),
        checkpoints=_checkpoints(session, stored.id, first, end, size),
        publications=_publications(session, stored.id),
        notice=partial(_unless_gone, notices.body, session),
        widget=partial(_unless_gone, notices.widget_code, session),
        configurations=_configurations(session, stored.id),
        pictures=_pictures(session, stored.id),
        timestamps=(
            PackTimestamp(row.kind, row.size, row.digest, row.stamped_at, row.reply)
            for row in timestamps.of_site(session, stored.id)
        ),
        sign=ring.sign,
        demo=stored.site.demo,
    )


def _checkpoints(session: Session, site_id: int, first: int, end: int, newest: int) -> Iterator[CosignedCheckpoint]:
    """Those of a range of sizes, and the newest: an old period of a long ledger does not read all that came after."""
    inside = takewhile(lambda row: row.size <= end, cosignatures.checkpoints(session, site_id, first - 1))
    return chain(inside, cosignatures.page(session, site_id, newest - 1, 1) if newest > end else [])


def _publications(session: Session, site_id: int) -> list[PackPublication]:
    """Since when each notice was shown, as the site's own or as an arm of an experiment; oldest first."""
    titles = notice_titles(session, site_id)
    arms = [PackPublication(notice, at, titles[notice]) for notice, _, at in experiments.shown(session, site_id)]
    own = [PackPublication(*astuple(one)) for one in titled_publications(session, site_id)]
    return sorted([*own, *arms], key=attrgetter("published_at"))


class _Entries:
    """Reads leaves of one site, a page at a time, each with its path in one tree."""

    def __init__(self, session: Session, site_id: int, tree: Tree) -> None:
        self._session, self._site_id, self._tree = session, site_id, tree

    def between(self, first: int, end: int) -> Iterator[PackEntry]:
        for start in range(first, end, PAGE):
            stop = min(end, start + PAGE)
            removed = ledgers.removed_between(self._session, self._site_id, start, stop)
            for entry in ledgers.entries(self._session, self._site_id, start, stop):
                over = range_over(removed, entry.leaf_index) if entry.token is None else None
                yield self._entry(entry, over.leaf_index if over else None)

    def removals(self, indexes: Sequence[int]) -> Iterator[PackEntry]:
        for start in range(0, len(indexes), PAGE):
            some = indexes[start : start + PAGE]
            yield from map(self._entry, ledgers.removals_at(self._session, self._site_id, some))

    def _entry(self, entry: SealedEntry, removed_by: int | None = None) -> PackEntry:
        return PackEntry(
            index=entry.leaf_index,
            leaf=leaf_hash(entry.commitment),
            path=self._path(entry.leaf_index),
            receipt=entry.token,
            salt=entry.salt,
            removed_by=removed_by,
        )

    def _path(self, index: int) -> list[bytes]:
        try:
            return self._tree.inclusion_proof(index)
        except InvalidProof:
            # A tile is gone, or a leaf stands where none was sealed. An auditor is to see this in the pack.
            return []


def _configurations(session: Session, site_id: int) -> Iterator[PackConfiguration]:
    for served in configurations.of_site(session, site_id):
        shown = served.configuration
        yield PackConfiguration(served.notice, served.widget, shown.language, shown.parts, served.served_at)


def _pictures(session: Session, site_id: int) -> Iterator[PackPicture]:
    # The list is read whole before the first picture: no result stays open while others are read.
    for taken in list(pictures.of_site(session, site_id)):
        motif, png = taken.motif, pictures.png(session, taken.motif.notice, taken.hash)
        yield PackPicture(
            taken.hash, motif.notice, motif.widget, motif.language, motif.width, taken.browser, taken.taken_at, png
        )


def _unless_gone(read: Callable[[Session, str], T], session: Session, hexadecimal: str) -> T | None:
    try:
        return read(session, hexadecimal)
    except (UnknownNotice, UnknownWidget):
        return None
