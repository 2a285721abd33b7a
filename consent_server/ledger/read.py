"""The public bytes of a ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidRange, UnknownTile
from consent_server.core.hashes import HASH_BYTES
from consent_server.core.keys import KeyRing
from consent_server.ledger import store as ledgers
from consent_server.ledger import store_cosignatures as cosignatures
from consent_server.ledger import store_remarks
from consent_server.ledger.rows import CheckpointRow
from consent_server.ledger.rules import TILE_HEIGHT, Tile, Tree
from consent_server.ledger.rules_witness import CosignedCheckpoint
from consent_server.sites import store as sites

NO_CHECKPOINT = "This ledger has no checkpoint yet."


def read_checkpoint(database: Database, site_id: int) -> str:
    """The newest checkpoint with the cosignatures that it has so far. Raises UnknownTile before the first."""
    with database.reading() as session:
        newest = cosignatures.newest_checkpoint(session, site_id)
        if newest is None:
            raise UnknownTile(NO_CHECKPOINT)
        return newest.note


@dataclass(frozen=True, slots=True)
class CheckpointPage:
    """Checkpoints, oldest first. `more`: there are longer ones."""

    checkpoints: Sequence[CosignedCheckpoint]
    more: bool


def read_checkpoints(database: Database, site_id: int, after: int, limit: int) -> CheckpointPage:
    """Up to `limit` checkpoints longer than `after`, each with the cosignatures that it has so far."""
    with database.reading() as session:
        checkpoints = cosignatures.page(session, site_id, after, limit + 1)
        return CheckpointPage(checkpoints[:limit], len(checkpoints) > limit)


def read_remarks(database: Database, site_id: int) -> list[tuple[int, str, bytes]]:
    """All that the ledger says of itself: leaf, signed entry and salt. They name nobody."""
    with database.reading() as session:
        return store_remarks.sealed(session, site_id)


def read_verifier_keys(database: Database, ring: KeyRing, key: str) -> list[str]:
    """The keys that sign a site's ledger as verifier keys of notes, oldest first. Raises UnknownSite."""
    with database.reading() as session:
        origin = ledgers.get(session, sites.get(session, key).id).origin
    return [known.vkey for known in ring.note_keys(origin)]


def read_tile(database: Database, site_id: int, tile: Tile) -> bytes:
    """A tile within the newest checkpoint. Raises UnknownTile."""
    with database.reading() as session:
        size = _newest(session, site_id).size
        if tile.index * 256 + tile.width > size >> TILE_HEIGHT * tile.level:
            raise UnknownTile("The newest checkpoint has no such tile yet.")
        return ledgers.tile_reader(session, site_id)(tile)[: tile.width * HASH_BYTES]


def consistency_proof(database: Database, site_id: int, old: int, new: int) -> list[bytes]:
    """The proof that the ledger of `new` leaves begins with the one of `old`. Raises InvalidRange."""
    with database.reading() as session:
        if not 0 <= old <= new <= _newest(session, site_id).size:
            raise InvalidRange("`from` must not exceed `to`, nor `to` the size of the newest checkpoint.")
        return Tree(new, ledgers.tile_reader(session, site_id)).consistency_proof(old)


def _newest(session: Session, site_id: int) -> CheckpointRow:
    newest = ledgers.newest_checkpoint(session, site_id)
    if newest is None:
        raise UnknownTile(NO_CHECKPOINT)
    return newest
