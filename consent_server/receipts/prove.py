"""The proof that a receipt stands in its site's ledger."""

from dataclasses import dataclass
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.errors import NotSealedYet, UnknownReceipt
from consent_server.decisions import store as decisions
from consent_server.decisions.rows import DecisionRow
from consent_server.ledger import store as ledgers
from consent_server.ledger.rules import Tree
from consent_server.receipts.read import receipt_uuid


@dataclass(frozen=True, slots=True)
class Proof:
    """An inclusion proof against the newest checkpoint (docs/formats/checkpoint.md)."""

    leaf_index: int
    tree_size: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    sealed_at: datetime
    salt: bytes


def prove_receipt(database: Database, receipt_id: str) -> Proof:
    """Raises UnknownReceipt; NotSealedYet before the first checkpoint that covers it."""
    wanted = receipt_uuid(receipt_id)
    with database.reading() as session:
        row = decisions.by_receipt_id(session, wanted)
        if row is None:
            raise UnknownReceipt("There is no receipt at this address.")
        return proof_of(session, row)


def proof_of(session: Session, row: DecisionRow) -> Proof:
    """The proof of a record. Raises NotSealedYet."""
    leaf = ledgers.leaf_of_decision(session, row.id)
    newest = ledgers.newest_checkpoint(session, row.site_id)
    if leaf is None or newest is None:
        raise NotSealedYet("No checkpoint covers this record yet. Ask again in a few seconds.")
    tree = Tree(newest.size, ledgers.tile_reader(session, row.site_id))
    hashes = tuple(tree.inclusion_proof(leaf.leaf_index))
    return Proof(leaf.leaf_index, newest.size, hashes, newest.note, newest.sealed_at, row.salt)
