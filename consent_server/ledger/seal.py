"""Number new records, and sign a checkpoint over them.

One transaction holds all of it: leaves, tiles, checkpoint, position. A crash between any two steps leaves
what was there before, and the next run does the same work again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof, Refusal
from consent_server.core.keys import KeyRing
from consent_server.core.notes import ED25519, Checkpoint, Note, NoteKey, format_note, open_checkpoint, sign_note
from consent_server.ledger import store as ledgers
from consent_server.ledger.rows import CheckpointRow
from consent_server.ledger.rules import Tree, commitment, grow, leaf_hash
from consent_server.ledger.store_settled import settled_decision
from consent_server.sites.rows import LedgerRow

# Records sealed in one transaction: few enough that a visitor never waits noticeably behind it.
BATCH = 500


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
    done, broken = [], dict[int, Refusal]()
    for site_id in sorted(sites):
        try:
            done.append(_seal_site(database, ring, now, site_id, progress))
        except InvalidProof as error:
            broken[site_id] = error
    return done, broken


def refuse(broken: Mapping[int, Refusal], done: str = "") -> None:
    """Raise what is wrong with these sites as one refusal, if anything is; `done` says what was done all the same."""
    for first in broken.values():
        raise type(first)(" ".join([*(error.detail for error in broken.values()), done]).rstrip())


def _seal_site(
    database: Database, ring: KeyRing, now: Callable[[], datetime], site_id: int, progress: Callable[[int], None]
) -> Sealed:
    with database.transaction() as session:
        upto = settled_decision(session)
    records = 0
    while True:
        with database.transaction() as session:
            ledger = ledgers.take_turn(session, site_id)
            sealed = _seal_batch(session, ledger, ring, now(), upto)
            records, size = records + sealed, ledger.size
        progress(sealed)
        if sealed < BATCH:
            return Sealed(site_id, records, size)


def _seal_batch(session: Session, ledger: LedgerRow, ring: KeyRing, now: datetime, upto: int) -> int:
    decisions = ledgers.new_decisions(session, ledger.site_id, ledger.decisions_to, upto, BATCH)
    room = BATCH - len(decisions)
    removals = ledgers.new_removals(session, ledger.site_id, ledger.removals_to, room) if room else []
    newest = ledgers.newest_checkpoint(session, ledger.site_id)
    read_tile = ledgers.tile_reader(session, ledger.site_id)
    # Also when nothing is new: whoever removes records next must not do so over a change.
    _continues(newest, ledger, ring, Tree(ledger.size, read_tile).root())
    if not decisions and not removals:
        return 0
    entries = [*decisions, *removals]
    commitments = [commitment(entry.salt, entry.token) for entry in entries]
    ledgers.append_leaves(session, ledger, commitments, decisions, removals)
    ledgers.store_tiles(session, ledger.site_id, list(grow(ledger.size, map(leaf_hash, commitments), read_tile)))
    ledger.size += len(entries)
    root = Tree(ledger.size, read_tile).root()
    # A clock that was put back must not make a checkpoint look older than the one before it.
    sealed_at = max(now, newest.sealed_at) if newest else now
    ledgers.seal(
        session,
        ledger,
        _signed(Checkpoint(ledger.origin, ledger.size, root), ring),
        sealed_at,
        decisions[-1].row_id if decisions else ledger.decisions_to,
        removals[-1].row_id if removals else ledger.removals_to,
    )
    return len(entries)


def _continues(newest: CheckpointRow | None, ledger: LedgerRow, ring: KeyRing, root: bytes) -> None:
    # Somebody may have changed leaves, tiles, checkpoints or this position. A checkpoint of ours over them
    # would make that change ours: only what this ledger's key has signed is continued.
    if newest is None:
        held = ledger.size == 0
    else:
        try:
            last = open_checkpoint(newest.note, ring.note_keys(ledger.origin))
        except InvalidProof as error:
            raise InvalidProof(
                f"The last checkpoint of {ledger.origin} is not valid: {error.detail}"
                " The key set needs every key that ever signed, its public half at least."
            ) from error
        held = (last.size, last.root) == (ledger.size, root)
    if not held:
        raise InvalidProof(f"{ledger.origin} does not match its last checkpoint. Run: consent ledger check SITE")


def _signed(checkpoint: Checkpoint, ring: KeyRing) -> str:
    key = NoteKey(checkpoint.origin, ED25519, ring.public_bytes())
    signature = sign_note(checkpoint.text, key, ring.sign_bytes)
    return format_note(Note(checkpoint.text, (signature,)))
