"""Evidence packs on /verify: a good one holds, and each kind of tampering is told, with its place."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.servers import ConsentServer
from tests.receipts.test_pages import outcomes, verdict
from tests.unit.evidence_ledger import NOTICE, WIDGET, EvidenceLedger, new_ring, rewrite

STEPS = ["files", "keys", "manifest", "checkpoints", "signatures", "leaves", "inclusion", "notices"]


@pytest.fixture
def ledger() -> EvidenceLedger:
    """Thirty receipts, of which three were erased."""
    made = EvidenceLedger.of(30)
    made.remove((3, 5))
    made.seal()
    return made


@pytest.fixture
def checked(quiet: Page, server: ConsentServer) -> Callable[[Path], dict[str, str]]:
    """Choose a pack; how each step went."""

    def check(pack: Path) -> dict[str, str]:
        quiet.goto(f"{server.url}/verify")
        expect(quiet.locator("body[data-ready]")).to_be_attached()
        asked: list[str] = []
        quiet.on("request", lambda request: asked.append(request.url))
        quiet.set_input_files("input[type=file]", pack)
        expect(quiet.locator(".verdict:is([data-outcome=ok], [data-outcome=fail])")).to_be_attached(timeout=20_000)
        assert asked == []
        return outcomes(quiet, '[data-of="pack"]')

    return check


def test_a_good_pack_holds(
    ledger: EvidenceLedger, checked: Callable[[Path], dict[str, str]], quiet: Page, tmp_path: Path
) -> None:
    assert checked(ledger.write(tmp_path / "good.zip")) == dict.fromkeys(STEPS, "ok")
    verdict(quiet, "ok")
    expect(quiet.get_by_text("None of the keys in the pack")).to_be_visible()
    expect(quiet.locator('[data-keys="pack"]')).to_have_text(ledger.ring.kid)


def test_stored_entries_are_read_too(
    ledger: EvidenceLedger, checked: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    pack = rewrite(ledger.write(tmp_path / "stored.zip"), lambda files: None)
    assert set(checked(pack).values()) == {"ok"}


def edit(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "step"),
    [
        (edit("README.md", b"e", b"3"), "files"),
        (edit("manifest.json", b'"schema": "1"', b'"schema": "2"'), "manifest"),
        (lambda files: files.pop("publications.jsonl"), "files"),
        (lambda files: files.update({"more.txt": b"more"}), "files"),
        (edit(f"notices/{NOTICE.hash}.json", b"Accept all", b"Accept ALL"), "notices"),
        (edit(f"widget/{WIDGET}.js", b"config", b"konfig"), "notices"),
        (edit("checkpoints.jsonl", b'"size":7', b'"size":8'), "checkpoints"),
        (edit("records.jsonl", b'"salt":"', b'"salt":"00'), "leaves"),
    ],
)
def test_an_altered_file_is_told(
    ledger: EvidenceLedger,
    checked: Callable[[Path], dict[str, str]],
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], None],
    step: str,
) -> None:
    assert checked(rewrite(ledger.write(tmp_path / "pack.zip"), change))[step] == "fail"


def test_a_forged_record_is_told_with_its_place(
    ledger: EvidenceLedger, checked: Callable[[Path], dict[str, str]], quiet: Page, tmp_path: Path
) -> None:
    ledger.rows[10] = ledger.foreign_row()
    found = checked(ledger.write(tmp_path / "pack.zip"))
    assert (found["signatures"], found["leaves"], found["inclusion"]) == ("fail", "ok", "fail")
    expect(quiet.locator('[data-step="inclusion"] code')).to_have_text("records.jsonl 11")


def test_a_record_that_is_gone_is_told(
    ledger: EvidenceLedger, checked: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    ledger.skipped = {12}
    assert checked(ledger.write(tmp_path / "pack.zip"))["leaves"] == "fail"


def test_keys_of_somebody_else_are_told(
    ledger: EvidenceLedger, checked: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    ledger.jwks = new_ring().public_jwks()
    assert checked(ledger.write(tmp_path / "pack.zip"))["manifest"] == "fail"
