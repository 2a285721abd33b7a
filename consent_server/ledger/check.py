"""Replay a whole ledger and say what does not fit: what an auditor does with public bytes, done with all of them."""

from collections.abc import Callable, Iterable

from consent_server.core.database import LONG, Database, Session
from consent_server.core.errors import InvalidProof
from consent_server.core.hashes import HASH_BYTES
from consent_server.core.keys import KeyRing
from consent_server.ledger import store as ledgers
from consent_server.ledger.check_archive import Named, check_archive
from consent_server.ledger.check_leaves import Stretch, Subject
from consent_server.ledger.may_seal import require_ahead
from consent_server.ledger.regrow import RegrownLedger, keys_under
from consent_server.ledger.rules import TILE_WIDTH, Tree, leaf_hash
from consent_server.ledger.rules_report import LISTED, Report
from consent_server.sites import store as sites

# Leaves read at once: whole tiles, so that each is complete in one page.
PAGE = 4 * TILE_WIDTH
NO_LEAF = bytes(HASH_BYTES)


def check_ledger(
    database: Database,
    ring: KeyRing,
    key: str,
    kept: Iterable[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Recompute every leaf, tile and checkpoint of a site and the hash of all that visitors were shown, and
    compare with checkpoints that somebody kept.

    Holds the unfinished tile of each level and one page of records, however long the ledger is. What is
    sealed meanwhile is for the next run. Raises UnknownSite.
    """
    report = Report()
    with database.snapshot(LONG) as session:
        stored = sites.get(session, key)
        replay = _Replay(Subject.of(session, ring, stored.id, stored.site.key), report, kept)
        size = replay.begin(session)
    for first in range(0, size, PAGE):
        with database.snapshot(LONG) as session:
            replay.page(session, first, min(size, first + PAGE))
        progress(report.counts["leaves"])
    with database.snapshot(LONG) as session:
        replay.finish(session, size)
    return report


class _Replay:
    """A ledger made anew from its records."""

    def __init__(self, subject: Subject, report: Report, kept: Iterable[str]) -> None:
        self.subject, self.report = subject, report
        self.grown = RegrownLedger(report, keys_under(subject.ring, subject.remarks.origins), kept, subject.remarks)
        self.named = Named()
        self.latest = self.signed = 0

    def begin(self, session: Session) -> int:
        """How many leaves there are to check: those of the newest signed checkpoint, and any beyond it."""
        site_id = self.subject.site_id
        newest = ledgers.newest_checkpoint(session, site_id)
        while newest is not None:
            checkpoint = self.grown.opened(f"checkpoint {newest.size}", newest.note)
            if checkpoint is not None and checkpoint.size == newest.size:
                break
            newest = ledgers.newest_checkpoint(session, site_id, newest.size)
        signed = self.signed = newest.size if newest else 0
        if beyond := ledgers.leaves_from(session, site_id, signed):
            self.report.fail(f"leaf {signed}", f"it and all {beyond} from there on are in no signed checkpoint")
        for receipt_id in ledgers.passed_over(session, site_id, LISTED):
            self.report.fail(
                f"receipt {receipt_id}", "the record has no leaf: it was inserted, or its leaf was removed"
            )
        # By how many there are, not by their numbers: these may be anything.
        return max(signed, ledgers.leaves_from(session, site_id, 0))

    def page(self, session: Session, first: int, end: int) -> None:
        stretch = Stretch(session, self.subject, first, end, self.latest)
        hashes = []
        for leaf in stretch:
            hashes.append(NO_LEAF if leaf.commitment is None else leaf_hash(leaf.commitment))
            self.report.counts["leaves"] += 1
            if leaf.fault:
                self.report.fail(leaf.place, leaf.fault)
            elif leaf.claims is None:
                self.report.counts["removed"] += 1
            else:
                self.named.take(leaf)
        self.latest = stretch.latest
        checkpoints = {row.size: row for row in stretch.checkpoints if row.size <= end}
        self.grown.add(first, hashes, checkpoints, ledgers.tile_reader(session, self.subject.site_id))

    def finish(self, session: Session, size: int) -> None:
        self.grown.finish(size, self.signed, ledgers.tile_reader(session, self.subject.site_id))
        self.report.counts.update(self.subject.remarks.counted())
        if not self.report.faults:
            self._compare_signed(session)
        check_archive(session, self.subject.site_id, self.subject.site, self.named, self.report)

    def _compare_signed(self, session: Session) -> None:
        """What is whole in itself may still be an older copy: this server remembers what it signed."""
        guard, origin = self.subject.ring.guard, self.subject.origin
        if guard is not None:
            tree = Tree(self.signed, ledgers.tile_reader(session, self.subject.site_id))
            try:
                require_ahead(guard.signed.of(origin), origin, tree)
            except InvalidProof as error:
                self.report.fail("what was signed here", error.detail)
