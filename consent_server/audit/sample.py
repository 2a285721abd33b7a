"""Draw records at random for a spot check, so that anyone with the seed draws the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from consent_server.audit import store as search
from consent_server.audit.rules_sampling import most_faulty, sample_indexes
from consent_server.audit.search import Item, item
from consent_server.audit.store import FoundRecord
from consent_server.core.database import Database, Session
from consent_server.core.errors import Fault, InvalidProof, InvalidQuery, NotSealedYet
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.core.notes import Checkpoint, open_checkpoint
from consent_server.decisions.rules_contents import commitment
from consent_server.decisions.rules_receipt import RECEIPT_TYPE
from consent_server.ledger import store as ledgers
from consent_server.ledger.check_leaves import differences
from consent_server.ledger.rules import Tree, leaf_hash, verify_inclusion
from consent_server.ledger.rules_report import Check, Report
from consent_server.sites.notice_titles import notice_titles


@dataclass(frozen=True, slots=True)
class Drawn:
    """A leaf that was drawn. `record` is None for a removal's entry and for a record that was removed."""

    leaf_index: int
    record: Item | None
    check: Check


@dataclass(slots=True, kw_only=True)
class Sample(Report):
    """What was drawn from the first `size` leaves."""

    size: int
    drawn: list[Drawn] = field(default_factory=list)

    @property
    def most_faulty(self) -> int:
        """Where no fault was drawn: as many of all leaves may have one, with 95 % certainty."""
        return most_faulty(len(self.drawn), self.size)


def newest_size(database: Database, site_id: int) -> int:
    """Leaves that the newest checkpoint covers; 0 before the first."""
    with database.reading() as session:
        return ledgers.sealed_size(session, site_id)


def sample_records(database: Database, ring: KeyRing, site_id: int, seed: str, count: int, size: int) -> Sample:
    """Draw from the first `size` leaves, and check each that is drawn against the newest checkpoint.

    Raises NotSealedYet before the first checkpoint, InvalidQuery for more leaves than there are.
    """
    with database.reading() as session:
        newest = ledgers.newest_checkpoint(session, site_id)
        if newest is None:
            raise NotSealedYet("There is no checkpoint yet, so there is nothing to draw from.")
        if not 1 <= size <= newest.size:
            limit = Fault("#/size", f"Must be from 1 to {newest.size}, the number of leaves in the newest checkpoint.")
            raise InvalidQuery("There are not that many leaves.", [limit])
        origin = ledgers.get(session, site_id).origin
        tree = Tree(newest.size, ledgers.tile_reader(session, site_id))
        try:
            checkpoint: Checkpoint | None = open_checkpoint(newest.note, ring.note_keys(origin, newest.sealed_at))
        except InvalidProof:
            checkpoint = None
        titles = notice_titles(session, site_id)
        sample, spot = Sample(size=size), _SpotCheck(session, site_id, ring, tree, checkpoint, titles)
        for index in sample_indexes(seed, count, size):
            record, fault = spot.check(index)
            sample.drawn.append(Drawn(index, record, sample.add(f"leaf {index}", fault is None, fault or "")))
        return sample


@dataclass(frozen=True, slots=True)
class _SpotCheck:
    session: Session
    site_id: int
    ring: KeyRing
    tree: Tree
    checkpoint: Checkpoint | None
    titles: Mapping[str, str]

    def check(self, index: int) -> tuple[Item | None, str | None]:
        """The record of a leaf, and what is wrong with either."""
        leaf, record = search.leaf(self.session, self.site_id, index)
        fault = None
        try:
            if leaf is None:
                raise InvalidProof("The leaf is missing.")
            self._included(leaf.commitment, index)
            if record is not None:
                self._unchanged(leaf.commitment, record)
        except InvalidProof as error:
            fault = error.detail
        return item(record, self.titles) if record else None, fault

    def _included(self, data: bytes, index: int) -> None:
        if self.checkpoint is None:
            raise InvalidProof("The newest checkpoint's signature is not valid.")
        proof = self.tree.inclusion_proof(index)
        verify_inclusion(leaf_hash(data), index, self.checkpoint.size, proof, self.checkpoint.root)

    def _unchanged(self, data: bytes, record: FoundRecord) -> None:
        if record.row.fault:
            raise InvalidProof(f"The record cannot be read: {record.row.fault}.")
        if commitment(record.row.salt, record.row.receipt) != data:
            raise InvalidProof("The record is not the one that was sealed.")
        claims = verify_jws(record.row.receipt, RECEIPT_TYPE, self.ring)
        # A good receipt may stand beside columns that somebody altered, and it is these that are searched.
        if wrong := differences(record.row, record.notice, claims):
            raise InvalidProof(f"The record differs from its receipt: {', '.join(wrong)}.")
