"""verify.py on a pack of the size that a regulator asks for: whole, and with one byte of one receipt changed."""

from pathlib import Path

import pytest

from tests.support.evidence_ledger import EvidenceLedger
from tests.support.verify_bench import SCRIPT, Bench

RECEIPTS = 10_000


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> EvidenceLedger:
    """A ledger of ten thousand receipts, made once."""
    return EvidenceLedger.of(RECEIPTS, batch=500)


def test_ten_thousand_receipts_hold_on_bare_python(large: EvidenceLedger, tmp_path: Path) -> None:
    found = Bench(tmp_path).verify(large)
    assert (found.code, found.fails) == (0, [])
    assert f"leaves 0 to {RECEIPTS - 1} of {RECEIPTS}: {RECEIPTS} receipts, 0 removal entries, 0 removed" in found.text


def test_one_of_them_that_was_altered_is_named(large: EvidenceLedger, tmp_path: Path) -> None:
    other = large.rows[7_001]
    assert other.receipt is not None
    large.rows[7_001] = large.foreign_row()
    try:
        bench = Bench(tmp_path)
        found = bench.run(SCRIPT, large.write(tmp_path / "pack.zip", 7_000, 7_500))
    finally:
        large.rows[7_001] = other
    assert found.names("signatures", "records.jsonl leaf 7001", "a foreign key")
    assert {place for _, place, _ in found.fails} >= {"records.jsonl leaf 7001"}
