"""What a sealed ledger promises to whoever saw an earlier state of it."""

from sqlalchemy import func, select

from consent_server.core.notes import Checkpoint, open_checkpoint
from consent_server.decisions.rows import DecisionRow
from consent_server.ledger.read import consistency_proof
from consent_server.ledger.rules import verify_consistency
from tests.support.ledger_shop import Shop


def records(shop: Shop) -> int:
    with shop.services.database.reading() as session:
        return session.scalar(select(func.count()).where(DecisionRow.site_id == shop.site)) or 0


def opened(shop: Shop, note: str) -> Checkpoint:
    return open_checkpoint(note, shop.services.keys.ring.note_keys("consent.example/ledger/shop"))


def continues(shop: Shop, *seen: str) -> None:
    """Whoever saw these checkpoints can prove that the newest one goes on from each."""
    newest = opened(shop, shop.checkpoints()[-1])
    for note in seen:
        old = opened(shop, note)
        proof = consistency_proof(shop.services.database, shop.site, old.size, newest.size)
        verify_consistency(old.size, newest.size, proof, old.root, newest.root)


def holds_all(shop: Shop, *seen: str) -> None:
    """No gap, no fork, nothing lost."""
    report = shop.check(*seen)
    assert report.faults == []
    assert report.counts["leaves"] == records(shop) == opened(shop, shop.checkpoints()[-1]).size
    continues(shop, *seen)
