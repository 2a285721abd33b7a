"""Say by a signed entry which leaves a wrong clock dated, so that an honest ledger holds again."""

from collections.abc import Callable
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof
from consent_server.core.seal_guard import LEEWAY
from consent_server.ledger import store as ledgers
from consent_server.ledger.check_leaves import TOLERANCE, CheckedLeaf, Stretch, Subject
from consent_server.ledger.remark import Remarker
from consent_server.ledger.rules import TILE_WIDTH
from consent_server.ledger.rules_remark import RemarkRule
from consent_server.ledger.rules_removal import ranges
from consent_server.ledger.seal import seal_ledger
from consent_server.ledger.store_sealing import take_turns
from consent_server.sites import store as sites

PAGE = 4 * TILE_WIDTH
REASON = "The server's clock was wrong"


def correct_clock(
    database: Database, remarker: Remarker, now: Callable[[], datetime], key: str, dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> list[tuple[int, int]]:  # fmt: skip
    """Name every leaf whose time does not fit those around it, or lies ahead of now; return them as closed ranges.

    The clock must be right now. Raises UnknownSite, and InvalidProof when more than times is wrong: nothing is said
    over that.
    """
    with database.reading() as session:
        stored = sites.get(session, key)
    wrong = sorted(_Dated(database, remarker, now(), stored.id, key).wrong(progress))
    if not wrong or dry_run:
        return ranges(wrong)
    with database.transaction() as session:
        (ledger,) = take_turns(session, [stored.id])
        # Another run may have named the same ones since they were looked at.
        named = ranges(remarker.unnamed(session, ledger, RemarkRule.CLOCK_CORRECTED, wrong))
        if named:
            remarker.remark(session, stored.id, RemarkRule.CLOCK_CORRECTED, REASON, named, now())
    seal_ledger(database, remarker.ring, now, stored.id)
    return named


class _Dated:
    def __init__(self, database: Database, remarker: Remarker, now: datetime, site_id: int, key: str) -> None:
        self._database, self._remarker = database, remarker
        self._now, self._site_id, self._key = now, site_id, key

    def wrong(self, progress: Callable[[int], None]) -> set[int]:
        """Leaves that are back-dated, dated ahead, or covered by a checkpoint that is dated ahead."""
        latest, wrong = 0, set[int]()
        with self._database.snapshot() as session:
            subject = Subject.of(session, self._remarker.ring, self._site_id, self._key)
            size = ledgers.sealed_size(session, self._site_id)
        for first in range(0, size, PAGE):
            with self._database.snapshot() as session:
                stretch = Stretch(session, subject, first, min(size, first + PAGE), latest)
                wrong |= {leaf.index for leaf in stretch if self._is_wrong(leaf)} | self._ahead(session, stretch)
                latest = stretch.latest
            progress(min(size, first + PAGE))
        return {index for index in wrong if not subject.remarks.clock_was_wrong(index)}

    def _is_wrong(self, leaf: CheckedLeaf) -> bool:
        if leaf.fault and not leaf.back_dated:
            raise InvalidProof(f"{leaf.place}: {leaf.fault}. No clock did that; see: consent ledger check {self._key}")
        ahead = leaf.claims is not None and leaf.claims["iat"] > self._now.timestamp() + TOLERANCE
        return leaf.back_dated or ahead

    def _ahead(self, session: Session, stretch: Stretch) -> set[int]:
        ahead = set[int]()
        for row in stretch.checkpoints:
            if (row.sealed_at - self._now).total_seconds() > LEEWAY:
                before = ledgers.newest_checkpoint(session, self._site_id, below=row.size)
                ahead |= set(range(before.size if before else 0, row.size))
        return ahead
