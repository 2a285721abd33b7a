import pytest

from tests.support.evidence_ledger import EvidenceLedger


@pytest.fixture
def ledger() -> EvidenceLedger:
    """Receipts at leaves 0 to 39; leaf 40 removes 3 to 5 and 9. Checkpoints at 7, 14, 21, 28, 35, 40, 41."""
    made = EvidenceLedger.of(40)
    made.remove((3, 5), (9, 9))
    made.seal()
    return made
