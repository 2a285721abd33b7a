"""Number new records, and sign checkpoints over them, of many ledgers at once.

One transaction holds all of it: leaves, tiles, checkpoints, positions. A crash between any two steps leaves
what was there before, and the next run does the same work again.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof, Refusal
from consent_server.core.keys import KeyRing
from consent_server.core.notes import ED25519, Checkpoint, Note, NoteKey, format_note, open_checkpoint, sign_note
from consent_server.ledger import store_sealing as ledgers
from consent_server.ledger.may_seal import seal_time
from consent_server.ledger.rows import CheckpointRow
from consent_server.ledger.rules import ReadTile, Tile, Tree, grow, leaf_hash
from consent_server.ledger.store import newest_checkpoints, tile_reader
from consent_server.ledger.store_sealing import Growth, State
from consent_server.ledger.store_settled import settled_decision
from consent_server.sites.rows import LedgerRow

# Records, and ledgers, sealed in one transaction: few enough that a visitor never waits noticeably behind it.
BATCH, SITES = 500, 100
# All ledgers are looked at that often: what a run left, a removal that a crash left unsealed, a ledger that was mended.
LOOK_SECONDS = 60
# Of more new records than that it costs less to look at all ledgers.
MANY = 50_000


# By origin, the checkpoint that this process signed last with the keys of now: it need not be verified again.
Signed = dict[str, tuple[str, Checkpoint]]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one run did for one site."""

    site_id: int
    records: int
    size: int


def seal_ledger(
    database: Database, ring: KeyRing, now: Callable[[], datetime], site_id: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Sealed]:  # fmt: skip
    """Seal whatever is new on every site, or on one. Two runs at once take turns; the second finds nothing left.

    `progress` is told of each batch how many it was.
    Raises InvalidProof, which names each ledger that somebody changed, after all others are sealed.
    """
    if site_id is None:
        with database.reading() as session:
            sites = ledgers.behind(session)
    else:
        sites = [site_id]
    done, broken = seal_what_holds(database, ring, now, sites, progress)
    refuse(broken)
    return done


def seal_what_holds(
    database: Database, ring: KeyRing, now: Callable[[], datetime], sites: Iterable[int],
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[list[Sealed], dict[int, Refusal]]:  # fmt: skip
    """Seal these sites; those whose ledger somebody changed are left as they are and come back with the reason."""
    with database.reading() as session:
        upto = settled_decision(session)
    run, waiting = _Run(database, ring, now, upto, progress), set(sites)
    while waiting:
        waiting = run.seal(waiting)
    return [run.done[site_id] for site_id in sorted(run.done)], run.broken


def refuse(broken: Mapping[int, Refusal], done: str = "") -> None:
    """Raise what is wrong with these sites as one refusal, if anything is; `done` says what was done all the same."""
    for first in broken.values():
        raise type(first)(" ".join([*(error.detail for error in broken.values()), done]).rstrip())


def remember(database: Database, ring: KeyRing) -> None:
    """Write the newest checkpoint of each ledger down outside the database."""
    if ring.guard is None:
        return
    with database.reading() as session:
        newest = newest_checkpoints(session)
    for origin, row in ((origin, row) for origin, row in newest if row is not None):
        ring.guard.signed.see(row.note, row.size, origin)


class Sealer:
    """Seals what is new, again and again: what it costs goes with the new records, not with the number of sites."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Each site that lacks a leaf for a record up to this one is in `_left` or in `_broken`.
        self._seen = 0
        self._left, self._broken = set[int](), set[int]()
        self._look_everywhere = 0.0
        self._ring: KeyRing | None = None
        self._signed: Signed = {}

    def run(self, ring: KeyRing, now: Callable[[], datetime]) -> None:
        """Seal every ledger in which nobody else has the turn.

        Raises InvalidProof as `seal_ledger` does; a ledger that somebody changed is tried again a minute later.
        """
        if ring is not self._ring:
            self._ring, self._signed = ring, {}
        broken, more = dict[int, Refusal](), {0}
        while more:
            # Anew each time: where one site has very much that is new, the others do not wait for its end.
            self._look()
            run = _Run(self._database, ring, now, self._seen, only_free=True, signed=self._signed)
            more = run.seal(self._left)
            self._left = (self._left - run.done.keys() - run.broken.keys()) | more
            self._broken |= run.broken.keys()
            broken |= run.broken
        refuse(broken)

    def _look(self) -> None:
        with self._database.reading() as session:
            everywhere = time.monotonic() >= self._look_everywhere
            if not everywhere and ledgers.newest_decision(session) == self._seen:
                return
            upto = settled_decision(session)
            if everywhere or upto - self._seen > MANY:
                self._left, self._broken = set(ledgers.behind(session)), set()
                self._look_everywhere = time.monotonic() + LOOK_SECONDS
            else:
                self._left |= set(ledgers.sites_between(session, self._seen, upto)) - self._broken
        self._seen = upto


@dataclass(slots=True)
class _Run:
    """Seals up to one record; keeps what it did, and whose ledger somebody changed.

    `only_free`: only where there is something new, and nobody else has the turn.
    """

    database: Database
    ring: KeyRing
    now: Callable[[], datetime]
    upto: int
    progress: Callable[[int], None] = lambda _: None
    only_free: bool = False
    signed: Signed = field(default_factory=dict)
    done: dict[int, Sealed] = field(default_factory=dict)
    broken: dict[int, Refusal] = field(default_factory=dict)

    def seal(self, sites: Collection[int]) -> set[int]:
        """One batch of each of these ledgers; return those that have more."""
        if not sites:
            return set()
        with self.database.reading() as session:
            waiting = ledgers.count_new(session, sites, self.upto, BATCH)
        if self.only_free:
            self.done |= {site_id: Sealed(site_id, 0, 0) for site_id, new in waiting.items() if not new}
            waiting = {site_id: new for site_id, new in waiting.items() if new}
        return {site_id for batch in _batches(waiting) for site_id in self._seal_batch(batch)}

    def _seal_batch(self, site_ids: Sequence[int]) -> list[int]:
        try:
            with self.database.transaction() as session:
                sealed, notes, broken = self._write(session, site_ids)
        except InvalidProof as error:
            # What the tables hold stands in the way of one of them: all others go on without it.
            if len(site_ids) == 1:
                self.broken[site_ids[0]] = error
                return []
            half = len(site_ids) // 2
            return self._seal_batch(site_ids[:half]) + self._seal_batch(site_ids[half:])
        if self.ring.guard is not None:
            # Not before: one that is lost with its transaction was never given out, and another may take its place.
            self.ring.guard.signed.keep(notes)
        self.broken |= broken
        for part in sealed:
            before = self.done.get(part.site_id)
            self.done[part.site_id] = replace(part, records=part.records + (before.records if before else 0))
        self.progress(sum(part.records for part in sealed))
        return [part.site_id for part in sealed if part.records == BATCH]

    def _write(self, session: Session, site_ids: Sequence[int]) -> tuple[list[Sealed], list[str], dict[int, Refusal]]:
        turns = ledgers.take_turns(session, site_ids, self.only_free)
        at, growths, sealed, broken = self.now(), list[Growth](), list[Sealed](), dict[int, Refusal]()
        for state in ledgers.read_states(session, turns, self.upto, BATCH):
            try:
                growth = _grow(session, state, self.ring, at, self.signed)
            except InvalidProof as error:
                broken[state.ledger.site_id] = error
                continue
            growths += [growth] if growth else []
            sealed.append(Sealed(state.ledger.site_id, state.new, state.ledger.size + state.new))
        if growths:
            ledgers.write(session, growths)
        return sealed, [growth.note for growth in growths], broken


def _batches(waiting: Mapping[int, int]) -> Iterator[list[int]]:
    batch, records = list[int](), 0
    for site_id, new in sorted(waiting.items()):
        if batch and (len(batch) == SITES or records + new > BATCH):
            yield batch
            batch, records = [], 0
        batch.append(site_id)
        records += new
    if batch:
        yield batch


def _grow(session: Session, state: State, ring: KeyRing, now: datetime, signed: Signed) -> Growth | None:
    """What this ledger gains; None when nothing is new. Raises InvalidProof when it may not go on."""
    ledger, newest = state.ledger, state.newest
    commitments, tiles = _new_tiles(state)
    tree = Tree(ledger.size + len(commitments), _reader(session, state))
    # Also when nothing is new: whoever removes records next must not do so over a change.
    before = tree.first(ledger.size)
    continues(newest, ledger, ring, before.root(), signed)
    sealed_at = seal_time(session, ring, ledger, newest, before, now)
    if not commitments:
        return None
    return Growth(
        state, commitments, tiles, _sign(Checkpoint(ledger.origin, tree.size, tree.root()), ring, signed), sealed_at
    )


def append_own_entries(session: Session, ledger: LedgerRow, ring: KeyRing, sealed_at: datetime) -> None:
    """Give what the ledger says of itself a leaf, before any record that is newer; in the ledger's turn.

    Whoever calls it has looked at all else.
    """
    states = ledgers.read_states(session, [ledger], ledger.decisions_to, BATCH)
    ledgers.write(session, [_growth(state, ring, sealed_at) for state in states])


def _growth(state: State, ring: KeyRing, sealed_at: datetime) -> Growth:
    commitments, tiles = _new_tiles(state)
    size = state.ledger.size + len(commitments)
    checkpoint = Checkpoint(state.ledger.origin, size, Tree(size, state.read_tile).root())
    return Growth(state, commitments, tiles, _sign(checkpoint, ring, {}), sealed_at)


def _new_tiles(state: State) -> tuple[list[bytes], list[tuple[Tile, bytes]]]:
    """What its new entries commit to, and the tiles over them, which stand in `state.edge` from here on."""
    commitments = [entry.commitment for entry in (*state.decisions, *state.removals)]
    tiles = list(grow(state.ledger.size, map(leaf_hash, commitments), state.read_tile))
    state.edge.update(((tile.level, tile.index), hashes) for tile, hashes in tiles)
    return commitments, tiles


def _reader(session: Session, state: State) -> ReadTile:
    """Reads the tiles at the end from what was read for all ledgers at once, and any other by itself."""
    stored = tile_reader(session, state.ledger.site_id)

    def read(tile: Tile) -> bytes:
        return state.read_tile(tile) if (tile.level, tile.index) in state.edge else stored(tile)

    return read


def continues(
    newest: CheckpointRow | None, ledger: LedgerRow, ring: KeyRing, root: bytes, signed: Signed | None = None
) -> None:
    """Raises InvalidProof unless the ledger is as its last checkpoint says."""
    # Somebody may have changed leaves, tiles, checkpoints or this position. A checkpoint of ours over them
    # would make that change ours: only what this ledger's key has signed is continued.
    if newest is None:
        held = ledger.size == 0
    else:
        note, last = (signed or {}).get(ledger.origin, ("", None))
        if last is None or note != newest.note:
            last = _open(newest, ledger, ring)
        held = (last.size, last.root) == (ledger.size, root)
    if not held:
        raise InvalidProof(f"{ledger.origin} does not match its last checkpoint. Run: consent ledger check SITE")


def _open(newest: CheckpointRow, ledger: LedgerRow, ring: KeyRing) -> Checkpoint:
    try:
        return open_checkpoint(newest.note, ring.note_keys(ledger.origin))
    except InvalidProof as error:
        raise InvalidProof(
            f"The last checkpoint of {ledger.origin} is not valid: {error.detail}"
            " The key set needs every key that ever signed, its public half at least."
        ) from error


def _sign(checkpoint: Checkpoint, ring: KeyRing, signed: Signed) -> str:
    key = NoteKey(checkpoint.origin, ED25519, ring.public_bytes())
    note = format_note(Note(checkpoint.text, (sign_note(checkpoint.text, key, ring.sign_bytes),)))
    signed[checkpoint.origin] = note, checkpoint
    return note
