"""verify.py on a pack of the size that a regulator asks for: whole, and with one byte of one receipt changed."""

from pathlib import Path

import pytest

from tests.support.evidence_ledger import EvidenceLedger
from tests.support.figures import Figure
from tests.support.verify_bench import SCRIPT, Bench

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def count(figure: Figure) -> int:
    """How many receipts."""
    return figure(1_000, release=10_000)


@pytest.fixture(scope="module")
def large(count: int) -> EvidenceLedger:
    """A ledger of so many, made once."""
    return EvidenceLedger.of(count, batch=500)


def test_many_receipts_hold_on_bare_python(large: EvidenceLedger, count: int, tmp_path: Path) -> None:
    found = Bench(tmp_path).run(SCRIPT, large.write(tmp_path / "pack.zip"))
    assert (found.code, found.fails) == (0, [])
    assert f"leaves 0 to {count - 1} of {count}: {count} receipts, 0 removal entries, 0 removed" in found.text


def test_one_of_them_that_was_altered_is_named(large: EvidenceLedger, count: int, tmp_path: Path) -> None:
    first = count * 7 // 10
    place = first + 1
    other = large.rows[place]
    assert other.receipt is not None
    large.rows[place] = large.foreign_row()
    try:
        bench = Bench(tmp_path)
        found = bench.run(SCRIPT, large.write(tmp_path / "pack.zip", first, first + count // 20))
    finally:
        large.rows[place] = other
    assert found.names("signatures", f"records.jsonl leaf {place}", "a foreign key")
    assert {where for _, where, _ in found.fails} >= {f"records.jsonl leaf {place}"}
