"""Evidence packs on /verify: a good one holds, and each kind of tampering is told, with its place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from consent_server.core.keys import KeyRing
from consent_server.ledger.rules_remark import RemarkRule
from tests.browser.receipts.checks import outcomes, verdict
from tests.browser.servers import ConsentServer
from tests.support.evidence_ledger import NOTICE, WIDGET, EvidenceLedger, Row, new_ring, rewrite

STEPS = [
    "files", "keys", "manifest", "checkpoints", "signatures", "leaves", "inclusion", "removals", "notices", "key",
]  # fmt: skip


@pytest.fixture
def ring(server: ConsentServer) -> KeyRing:
    """The keys of the server that shows the page."""
    return KeyRing.from_jwks((server.folder / "instance" / "signing-keys.json").read_text("utf-8"))


@pytest.fixture
def ledger(ring: KeyRing) -> EvidenceLedger:
    """Thirty receipts, of which three were erased."""
    made = EvidenceLedger.of(30, ring=ring)
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
    expect(quiet.get_by_text("None of the keys in the pack")).to_be_hidden()
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


def test_a_pack_of_another_server_is_not_this_servers(
    checked: Callable[[Path], dict[str, str]], quiet: Page, tmp_path: Path
) -> None:
    theirs = EvidenceLedger.of(5)
    assert checked(theirs.write(tmp_path / "pack.zip")) == dict.fromkeys(STEPS, "ok") | {"key": "fail"}
    verdict(quiet, "fail")
    expect(quiet.get_by_text("None of the keys in the pack")).to_be_visible()
    expect(quiet.locator('[data-of="pack"] [data-step="key"] code')).to_have_text(theirs.ring.kid)


def beside(forger: EvidenceLedger, ring: KeyRing) -> dict[str, Any]:
    """The keys of a forger, and those of the server that he wants to be taken for."""
    return {"keys": [*forger.ring.public_jwks()["keys"], *ring.public_jwks()["keys"]]}


def test_a_key_of_this_server_that_signed_nothing_vouches_for_nothing(
    ring: KeyRing, checked: Callable[[Path], dict[str, str]], quiet: Page, tmp_path: Path
) -> None:
    forger = EvidenceLedger.of(5)
    forger.jwks = beside(forger, ring)
    assert checked(forger.write(tmp_path / "pack.zip")) == dict.fromkeys(STEPS, "ok") | {"key": "fail"}
    verdict(quiet, "fail")
    expect(quiet.locator('[data-of="pack"] [data-step="key"] code')).to_have_text(forger.ring.kid)


def test_one_receipt_by_a_foreign_key_is_told(
    ledger: EvidenceLedger, ring: KeyRing, checked: Callable[[Path], dict[str, str]], quiet: Page, tmp_path: Path
) -> None:
    forger = EvidenceLedger()
    ledger.append(ledger.receipt(forger.ring))
    ledger.seal()
    ledger.jwks = beside(forger, ring)
    assert checked(ledger.write(tmp_path / "pack.zip")) == dict.fromkeys(STEPS, "ok") | {"key": "fail"}
    expect(quiet.locator('[data-of="pack"] [data-step="key"] code')).to_have_text(forger.ring.kid)


def forget(ledger: EvidenceLedger, leaf: int, removed_by: int | None) -> None:
    ledger.rows[leaf] = Row(None, None, ledger.rows[leaf].leaf, removed_by)


def bring_back(ledger: EvidenceLedger) -> None:
    """A record that a removal names, and that is still there: the removal before had named another."""
    ledger.remove((10, 11))
    kept = ledger.rows[12]
    ledger.remove((12, 12))
    ledger.rows[12] = kept
    ledger.seal()


def forge_removal(ledger: EvidenceLedger) -> None:
    ledger.remove((10, 10), ring=new_ring())
    ledger.seal()


REMOVED_BY = 30


@pytest.mark.parametrize(
    ("change", "step", "place"),
    [
        (lambda one: forget(one, 12, REMOVED_BY), "removals", "records.jsonl 13"),
        (lambda one: forget(one, 12, 20), "removals", "records.jsonl 13"),
        (lambda one: forget(one, 12, 4), "removals", "records.jsonl 13"),
        (lambda one: forget(one, 12, None), "removals", "records.jsonl 13"),
        (lambda one: forget(one, 12, 2**40), "removals", "records.jsonl 13"),
        (bring_back, "removals", "records.jsonl 13"),
        (forge_removal, "removals", "records.jsonl 11"),
    ],
)
def test_a_record_that_is_gone_behind_no_removal_of_its_own_is_told(
    ledger: EvidenceLedger,
    checked: Callable[[Path], dict[str, str]],
    quiet: Page,
    tmp_path: Path,
    change: Callable[[EvidenceLedger], None],
    step: str,
    place: str,
) -> None:
    change(ledger)
    assert checked(ledger.write(tmp_path / "pack.zip"))[step] == "fail"
    expect(quiet.locator(f'[data-of="pack"] [data-step="{step}"] code')).to_have_text(place)
    verdict(quiet, "fail")


def test_what_the_ledger_says_of_itself_fails_nothing(
    ledger: EvidenceLedger, checked: Callable[[Path], dict[str, str]], quiet: Page, tmp_path: Path
) -> None:
    ledger.recover(lost=4)
    ledger.decide()
    ledger.remark(RemarkRule.NOT_GENUINE, (0, 2), (6, 6))
    ledger.seal()
    assert checked(ledger.write(tmp_path / "pack.zip")) == dict.fromkeys(STEPS, "ok")
    verdict(quiet, "ok")


def test_removals_after_the_period_explain_what_is_gone_in_it(
    ledger: EvidenceLedger, checked: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    ledger.remove((10, 16), (18, 18))
    ledger.remove((25, 26))
    ledger.seal()
    assert checked(ledger.write(tmp_path / "pack.zip", 7, 21)) == dict.fromkeys(STEPS, "ok")
