"""verify.py against what is no pack: a zip in two forms, text that draws on a terminal, a key after its end."""

import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from consent_server.audit import verify
from consent_server.core.keys import KeyRing
from consent_server.ledger.rules_remark import RemarkRule
from tests.support.evidence_ledger import EvidenceLedger, new_ring, rewrite
from tests.support.verify_bench import SCRIPT, Bench
from tests.support.zip_attacks import ATTACKS

# Erases the line above, and says what the script says of a pack that holds.
DRAWING = "\x1b[1A\x1b[2K\rThe pack holds.\n\x7f\x9b2J\u202e\u2066\x00"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_zip_that_is_more_than_its_entries_is_no_pack(bench: Bench, attack: str) -> None:
    pack = EvidenceLedger.of(3).write(bench.folder / "pack.zip")
    pack.write_bytes(ATTACKS[attack](pack.read_bytes()))
    found = bench.check(pack)
    assert found.code == 1
    assert {check for check, _, _ in found.fails} == {"files"}


@pytest.mark.parametrize("length", [0, 3, 21, 22, 41, 42])
def test_the_start_of_a_zip_is_no_pack(bench: Bench, length: int) -> None:
    pack = EvidenceLedger.of(3).write(bench.folder / "pack.zip")
    pack.write_bytes(pack.read_bytes()[:length])
    assert bench.check(pack).code == 1


def test_a_large_zip_has_two_ends_that_agree(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # Lowered, so that the writer takes these few entries for too many for one end.
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    pack = EvidenceLedger.of(3).write(bench.folder / "pack.zip")
    data = pack.read_bytes()
    second, between = data.rindex(b"PK\x06\x06"), data.rindex(b"PK\x06\x07")
    assert (between - second, len(data) - between) == (56, 42)
    assert bench.check(pack).code == 0
    for changed in (
        data[:second] + b"x" * 8 + data[second:between] + data[between : between + 8]
        + (second + 8).to_bytes(8, "little") + data[between + 16 :],
        data[: between + 8] + (second - 1).to_bytes(8, "little") + data[between + 16 :],
        b"x" + data, data + b"x",
    ):  # fmt: skip
        pack.write_bytes(changed)
        assert bench.check(pack).code == 1


def said(pack: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert verify.main([str(pack), "--jobs", "1", *arguments]) == 1
    return capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_nothing_in_a_pack_draws_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    def add_file(files: dict[str, bytes]) -> None:
        files[f"x{DRAWING.replace(chr(0), '')}"] = b""

    def name_ledger(files: dict[str, bytes]) -> None:
        manifest = json.loads(files["manifest.json"])
        files["manifest.json"] = json.dumps({**manifest, "ledger": DRAWING, "site": DRAWING}).encode()

    def name_key(files: dict[str, bytes]) -> None:
        keys = json.loads(files["keys.json"])
        keys["keys"][0]["kid"] = DRAWING
        files["keys.json"] = json.dumps(keys).encode()

    def add_line(files: dict[str, bytes]) -> None:
        line = json.loads(files["checkpoints.jsonl"].splitlines()[0])
        files["checkpoints.jsonl"] = json.dumps({**line, "sealed_at": DRAWING}).encode() + b"\n"

    for number, change in enumerate((add_file, name_ledger, name_key, add_line)):
        pack = rewrite(EvidenceLedger.of(3).write(tmp_path / f"{number}.zip"), change)
        text = said(pack, capsys, *arguments)
        assert re.fullmatch(r"[\n\x20-\x7e]*", text), text
        assert "The pack holds." not in text.splitlines()
        assert text.splitlines()[-1] == ("}" if arguments else "The pack DOES NOT hold.")


def test_no_argument_draws_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        verify.main([str(tmp_path), "--checkpoint", f"/nowhere{DRAWING}".replace("\x00", "")])
    with pytest.raises(SystemExit):
        verify.main([str(tmp_path), "--witness", DRAWING])
    assert re.fullmatch(r"[\n\x20-\x7e]*", capsys.readouterr().err)


def test_a_name_that_is_there_twice_is_told(bench: Bench) -> None:
    pack = EvidenceLedger.of(3).write(bench.folder / "pack.zip")
    with ZipFile(pack, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("README.md", "Another.")
    assert bench.check(pack).names("files", "README.md", "it is in the zip twice")


# --- Keys after their end ---


@pytest.fixture
def old() -> KeyRing:
    return new_ring()


@pytest.fixture
def ledger(old: KeyRing) -> EvidenceLedger:
    """Seven receipts of the old key, sealed by it, then its end; seven of the new one a day later."""
    made = EvidenceLedger.of(7, ring=old)
    made.ring = new_ring()
    made.jwks = keys_of(old, made, {"exp": int(made.now.timestamp())})
    made.now += timedelta(days=1)
    for _ in range(7):
        made.decide()
    made.seal()
    return made


def keys_of(old: KeyRing, ledger: EvidenceLedger, said: dict[str, Any]) -> dict[str, Any]:
    return {"keys": [old.public_jwks()["keys"][0] | said, *ledger.ring.public_jwks()["keys"]]}


def test_what_a_key_signed_before_its_end_holds(bench: Bench, ledger: EvidenceLedger) -> None:
    assert bench.run(SCRIPT, ledger.write(bench.folder / "pack.zip")).code == 0


def test_a_receipt_that_a_key_signed_after_its_end_is_told(bench: Bench, ledger: EvidenceLedger, old: KeyRing) -> None:
    ledger.append(ledger.receipt(old))
    ledger.seal()
    assert bench.verify(ledger).names("signatures", "records.jsonl leaf 14", "dated after its key was retired")


def test_a_removal_that_a_key_signed_after_its_end_is_told(bench: Bench, ledger: EvidenceLedger, old: KeyRing) -> None:
    ledger.remove((3, 5), ring=old)
    ledger.seal()
    found = bench.verify(ledger)
    assert found.names("signatures", "records.jsonl leaf 14", "dated after its key was retired")
    assert any(check == "removals" for check, _, _ in found.fails)


def test_a_checkpoint_that_a_key_signed_after_its_end_is_told(
    bench: Bench, ledger: EvidenceLedger, old: KeyRing
) -> None:
    ring, ledger.ring = ledger.ring, old
    ledger.decide(iat=int(ledger.now.timestamp()) - 86400)
    ledger.seal()
    ledger.ring = ring
    found = bench.verify(ledger)
    assert found.names("checkpoints", "checkpoints.jsonl line 3", "sealed after the key that signed it was retired")


@pytest.mark.parametrize("corrected", [True, False])
def test_a_checkpoint_of_a_wrong_clock_is_held_to_no_end(bench: Bench, old: KeyRing, corrected: bool) -> None:
    ledger, right = EvidenceLedger.of(7, ring=old), timedelta(days=30)
    ledger.decide()
    ledger.now += right
    ledger.seal()
    ledger.now -= right
    ledger.ring = new_ring()
    ledger.jwks = keys_of(old, ledger, {"exp": int(ledger.now.timestamp())})
    if corrected:
        ledger.remark(RemarkRule.CLOCK_CORRECTED, (7, 7))
    ledger.decide()
    ledger.seal()
    found = bench.verify(ledger)
    assert (found.fails == []) is corrected, found.fails
    assert corrected or found.names("checkpoints", "checkpoints.jsonl line 2", "sealed after the key")


def test_a_pack_that_a_key_signed_after_its_end_is_told(bench: Bench, ledger: EvidenceLedger, old: KeyRing) -> None:
    ledger.ring = old
    assert bench.verify(ledger).names("manifest", "manifest.jws", "dated after its key was retired")


@pytest.mark.parametrize("said", [{"exp": "1"}, {"exp": -1}, {"exp": None}, {"exp": True}])
def test_an_end_that_is_no_time_is_no_key(bench: Bench, ledger: EvidenceLedger, old: KeyRing, said: Any) -> None:
    ledger.jwks = keys_of(old, ledger, said)
    assert bench.verify(ledger).names("keys", "keys.json", "is not a whole number")


def test_what_a_stolen_key_signed_holds_by_the_manifest_of_another(
    bench: Bench, ledger: EvidenceLedger, old: KeyRing
) -> None:
    end, revoked = int(ledger.now.timestamp()) - 86000, {"revoked": {"revoked_at": 1}}
    ledger.jwks = keys_of(old, ledger, {"exp": end} | revoked)
    assert bench.verify(ledger).code == 0
    ledger.ring = old
    assert bench.verify(ledger).names("manifest", "manifest.jws", "retired")


def test_the_auditor_knows_what_became_of_a_key_since(bench: Bench, old: KeyRing) -> None:
    # Made by whoever stole the key, and dated before anybody knew.
    forged = EvidenceLedger.of(7, ring=old)
    pack = forged.write(bench.folder / "pack.zip")
    assert bench.check(pack).code == 0
    key = old.public_jwks()["keys"][0]
    for said, check in (({"revoked": {"revoked_at": 1}}, "manifest"), ({"exp": 1}, "manifest"), ({}, None)):
        known = bench.keep("keys.json", json.dumps({"keys": [key | said]}))
        found = bench.check(pack, "--keys", known)
        assert (found.fails == []) is (check is None)
        assert check is None or any(fail[0] == check for fail in found.fails)
