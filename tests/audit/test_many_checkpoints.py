"""A ledger sealed every few seconds has as many checkpoints as records: nothing may grow with them but the file."""

import gc
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import pytest

from consent_server.audit import verify
from consent_server.audit.pack import stream_pack
from tests.support.evidence_ledger import EvidenceLedger

pytestmark = pytest.mark.slow

LEAVES = 200


@pytest.fixture(scope="module")
def often(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack with a checkpoint for each leaf."""
    return EvidenceLedger.of(LEAVES, batch=1).write(tmp_path_factory.mktemp("often") / "pack.zip")


@pytest.fixture(scope="module")
def rarely(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of as many leaves, with four checkpoints."""
    return EvidenceLedger.of(LEAVES, batch=50).write(tmp_path_factory.mktemp("rarely") / "pack.zip")


def peak(work: Callable[[], object]) -> int:
    """The most memory that this holds at once, in bytes."""
    # What is garbage is not held: it only waits for as much of it as the collector's threshold says.
    gc.collect()
    usual = gc.get_threshold()
    gc.set_threshold(100)
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.set_threshold(*usual)


def test_checking_holds_no_more_for_more_of_them(often: Path, rarely: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "LINES_AT_ONCE", 20)

    def check(pack: Path) -> int:
        audit = verify.Audit(verify.Pack(str(pack)), verify.Options())
        audit.read_manifest()
        audit.read_keys()
        return peak(audit.read_checkpoints)

    # What the first one makes once is no matter.
    check(rarely)
    few, many = check(rarely), check(often)
    # Kept, each would take a kilobyte.
    assert many < few + 60_000


def test_a_pack_of_many_holds(often: Path) -> None:
    found = verify.verify(str(often), verify.Options())
    assert found["ok"]
    assert {check["name"]: check["detail"] for check in found["checks"]}["checkpoints"] == str(LEAVES)


def test_writing_holds_no_more_for_more_of_them() -> None:
    ledger = EvidenceLedger.of(4)

    def write(count: int) -> int:
        checkpoints = (replace(ledger.checkpoints[0], size=size) for size in range(count))
        contents = replace(ledger.contents(), checkpoints=checkpoints)
        return peak(lambda: sum(map(len, stream_pack(contents))))

    write(100)
    assert write(4_000) < write(200) + 100_000


def test_a_long_list_of_them_is_written_though_it_is_larger_than_a_plain_zip_takes(
    often: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = EvidenceLedger.of(7)
    # In place of two gigabytes: more than the script in the pack has, less than the list.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100_000)
    written = io.BytesIO()
    written.writelines(stream_pack(replace(ledger.contents(), checkpoints=repeat(ledger.checkpoints[0], 400))))
    info = zipfile.ZipFile(written).getinfo("checkpoints.jsonl")
    assert info.file_size > 100_000
    assert len(zipfile.ZipFile(written).read(info).splitlines()) == 400
