"""verify.py against the operator, who holds the key; on parts of a ledger; and with what an auditor brings along."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent_server.core.keys import KeyRing
from consent_server.core.notes import COSIGNATURE, NoteKey
from tests.support.evidence_ledger import ORIGIN, SITE, EvidenceLedger, new_ring, rewrite
from tests.support.verify_bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def without(ledger: EvidenceLedger, index: int) -> EvidenceLedger:
    """The same history signed anew by the operator, but for one record."""
    other = EvidenceLedger(ring=ledger.ring, made=1000)
    for number, row in enumerate(ledger.rows[:35]):
        if number != index and row.receipt:
            other.append(row.receipt)
        if number % 7 == 6:
            other.seal()
    for _ in range(10):
        other.decide()
    other.seal()
    return other


# --- The operator, who holds the key ---


def test_backdated_records_of_the_operator(bench: Bench, ledger: EvidenceLedger) -> None:
    long_ago = int(ledger.now.timestamp()) - 86_400
    ledger.decide(iat=long_ago)
    ledger.seal()
    found = bench.verify(ledger)
    assert found.names("times", "records.jsonl leaf 41", "but joined the ledger after its checkpoint")
    assert found.names("notices", "records.jsonl leaf 41", "it was back-dated")


def test_a_record_back_dated_within_one_long_batch(bench: Bench) -> None:
    ledger = EvidenceLedger()
    for hour in range(5):
        ledger.now += timedelta(hours=1)
        ledger.decide(**({"iat": int(ledger.now.timestamp()) - 7200} if hour == 3 else {}))
    ledger.seal()
    found = bench.verify(ledger)
    assert [(check, place) for check, place, _ in found.fails] == [("times", "records.jsonl leaf 3")]
    assert "but follows a record of" in found.fails[0][2]


def test_a_record_dated_after_its_checkpoint(bench: Bench, ledger: EvidenceLedger) -> None:
    ledger.decide(iat=int(ledger.now.timestamp()) + 3600)
    ledger.seal()
    assert bench.verify(ledger).names("times", "records.jsonl leaf 41", "after the checkpoint over it")


def test_a_quarter_of_an_hour_is_not_held_against_anybody(bench: Bench, ledger: EvidenceLedger) -> None:
    ledger.decide(iat=int(ledger.now.timestamp()) - 890)
    ledger.seal()
    ledger.decide(iat=int(ledger.now.timestamp()) + 890)
    ledger.seal()
    assert bench.verify(ledger).code == 0


def test_a_checkpoint_over_other_leaves(bench: Bench, ledger: EvidenceLedger) -> None:
    other = EvidenceLedger(ring=ledger.ring)
    for _ in range(21):
        other.decide()
    other.seal()
    ledger.checkpoints[2] = replace(other.checkpoints[0], sealed_at=ledger.checkpoints[2].sealed_at)
    assert bench.verify(ledger).names("history", "checkpoints.jsonl size 21", "the leaves do not lead to its root")


@pytest.mark.parametrize("dropped", [0, 12, 20])
def test_a_forked_history_meets_a_kept_checkpoint(bench: Bench, ledger: EvidenceLedger, dropped: int) -> None:
    kept = bench.keep("kept.txt", ledger.checkpoints[2].note)
    forked = without(ledger, dropped)
    assert bench.verify(forked).code == 0
    found = bench.verify(forked, "--checkpoint", kept)
    assert {(check, place) for check, place, _ in found.fails} == {("kept", str(kept))}


def test_a_fork_of_equal_size_is_called_one(bench: Bench, ledger: EvidenceLedger) -> None:
    forked = EvidenceLedger(ring=ledger.ring, made=1000)
    for _ in range(21):
        forked.decide()
    forked.seal()
    kept = bench.keep("kept.txt", ledger.checkpoints[2].note)
    assert bench.verify(forked, "--checkpoint", kept).names("kept", str(kept), "FORK")


def test_a_ledger_that_was_cut_after_a_kept_checkpoint(bench: Bench, ledger: EvidenceLedger) -> None:
    kept = bench.keep("kept.txt", ledger.checkpoints[-1].note)
    assert bench.verify(EvidenceLedger.of(35), "--checkpoint", kept).code == 1
    del ledger.rows[35:], ledger.tiles[35:], ledger.checkpoints[5:]
    for row in ledger.rows:
        row.removed_by = None
    assert bench.verify(ledger, "--checkpoint", kept).names("kept", str(kept), "the end was cut off")


def test_a_kept_checkpoint_that_was_cut_out(bench: Bench, ledger: EvidenceLedger) -> None:
    kept = bench.keep("kept.txt", ledger.checkpoints.pop(2).note)
    assert bench.verify(ledger).code == 0
    assert bench.verify(ledger, "--checkpoint", kept).names("kept", str(kept), "it was cut out")


def test_a_kept_feed_of_checkpoints(bench: Bench, ledger: EvidenceLedger) -> None:
    feed = bench.keep("kept.jsonl", "".join(json.dumps({"note": one.note}) + "\n" for one in ledger.checkpoints))
    assert bench.verify(ledger, "--checkpoint", feed).code == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"size": 1}', "this is not a signed note"), ("{bad", "this is not JSON"),
        ('{"note": 5}', "this is not a signed note"), ("[1]", "this is not a signed checkpoint"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_kept_checkpoint_is_named_and_the_others_are_compared(
    bench: Bench, ledger: EvidenceLedger, line: str, reason: str
) -> None:
    cut = ledger.checkpoints.pop(2)
    lines = [json.dumps({"note": ledger.checkpoints[0].note}), "", line, json.dumps({"note": cut.note})]
    feed = bench.keep("kept.jsonl", "\n".join(lines))
    found = bench.verify(ledger, "--checkpoint", feed)
    assert found.names("kept", f"{feed} line 3", reason)
    assert found.names("kept", f"{feed} line 4", "it was cut out")
    assert len(found.fails) == 2


def test_a_removal_that_left_a_record_standing(bench: Bench, ledger: EvidenceLedger) -> None:
    row = ledger.rows[20]
    ledger.remove((19, 21))
    ledger.rows[20] = row
    ledger.seal()
    assert bench.verify(ledger).names("removals", "records.jsonl leaf 20", "it is still here, or another took it")


def test_a_removal_that_counts_wrong(bench: Bench, ledger: EvidenceLedger) -> None:
    claims = ledger.claims(40) | {"count": 3, "jti": "another"}
    ledger.append(ledger.ring.sign(claims, "consent-removal+jwt"))
    ledger.seal()
    assert bench.verify(ledger).names("signatures", "records.jsonl leaf 41", "its count is not theirs")


# --- A part of a ledger ---


def test_a_removal_younger_than_the_part(bench: Bench, ledger: EvidenceLedger) -> None:
    first_part = bench.check(ledger.write(bench.folder / "pack.zip", 0, 21))
    assert first_part.code == 0
    assert "leaves 0 to 20 of 41: 17 receipts, 0 removal entries, 4 removed" in first_part.text
    contents = ledger.contents(0, 21)
    found = bench.check(ledger.write(bench.folder / "pack.zip", 0, 21, removals=lambda _: []))
    assert found.names("removals", "records.jsonl leaves 3 to 5", "leaf 40, which should say why")
    assert list(contents.removals([40]))


def test_a_kept_checkpoint_outside_the_part(bench: Bench, ledger: EvidenceLedger) -> None:
    kept = bench.keep("kept.txt", ledger.checkpoints[0].note)
    part = ledger.write(bench.folder / "pack.zip", 14, 28)
    alone = bench.check(part, "--checkpoint", kept)
    assert alone.names("kept", str(kept), f"fetch https://{ORIGIN}/consistency?from=7&to=41 and give it with --proof")
    hashes = [value.hex() for value in ledger.tree().consistency_proof(7)]
    proof = bench.keep("proof.json", json.dumps({"from": 7, "to": 41, "hashes": hashes}))
    assert bench.check(part, "--checkpoint", kept, "--proof", proof).code == 0
    wrong = bench.keep("proof.json", json.dumps({"from": 7, "to": 41, "hashes": [*hashes[:-1], hashes[0]]}))
    assert bench.check(part, "--checkpoint", kept, "--proof", wrong).code == 1


def test_a_part_must_reach_over_the_time_that_it_names(bench: Bench, ledger: EvidenceLedger) -> None:
    since, until = ledger.checkpoints[1].sealed_at, ledger.checkpoints[3].sealed_at
    part = bench.folder / "pack.zip"
    assert bench.check(ledger.write(part, 14, 28, since=since, until=until)).code == 0
    late = bench.check(ledger.write(part, 14, 28, since=since - timedelta(seconds=1), until=until))
    assert late.names("checkpoints", "manifest.json", "begin later")
    early = bench.check(ledger.write(part, 14, 28, since=since, until=until + timedelta(seconds=1)))
    assert early.names("checkpoints", "manifest.json", "end earlier")


# --- The finished pack ---


def edit(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    return change


def drop(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.__delitem__(name)


CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], None], str, str, str]] = {
    "manifest": (edit("manifest.json", b'"from": null', b'"from":null '), "manifest", "manifest.jws", "was altered"),
    "manifest of another site": (
        edit("manifest.json", b'"shop"', b'"coop"'),
        "manifest",
        "manifest.jws",
        "was altered",
    ),
    "readme": (edit("README.md", b"ledger", b"ladder"), "files", "README.md", "it was altered"),
    "script": (edit("verify.py", b"TOLERANCE = 900", b"TOLERANCE = 90000"), "files", "verify.py", "it was altered"),
    "publication": (edit("publications.jsonl", b"2026", b"2016"), "files", "publications.jsonl", "it was altered"),
    "file added": (lambda files: files.update({"more.txt": b""}), "files", "more.txt", "it was added"),
    "file removed": (drop("README.md"), "files", "README.md", "it is missing"),
    "signature removed": (drop("manifest.jws"), "manifest", "manifest.jws", "is missing"),
    "records removed": (drop("records.jsonl"), "files", "records.jsonl", "is missing"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_pack_was_altered(bench: Bench, ledger: EvidenceLedger, name: str) -> None:
    change, check, place, reason = CHANGES[name]
    altered = rewrite(ledger.write(bench.folder / "pack.zip"), change)
    found = bench.check(altered)
    assert found.names(check, place, reason), found.fails


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06", b"no zip at all"])
def test_what_is_no_pack(bench: Bench, data: bytes) -> None:
    (bench.folder / "pack.zip").write_bytes(data)
    assert bench.check("pack.zip").names("files", "pack.zip", "cannot be read as a pack")


def test_a_download_that_was_cut(bench: Bench, ledger: EvidenceLedger) -> None:
    whole = ledger.write(bench.folder / "pack.zip")
    whole.write_bytes(whole.read_bytes()[:-100])
    assert bench.check(whole).names("files", str(whole), "cannot be read as a pack")


# --- What others add ---


def test_keys_may_change(bench: Bench) -> None:
    old, new = new_ring(), new_ring()
    ledger = EvidenceLedger(ring=old)
    ledger.decide()
    kept = bench.keep("kept.txt", ledger.seal())
    ledger.ring = KeyRing([old.key(old.kid), new.key(new.kid)])
    ledger.decide()
    ledger.seal()
    assert bench.verify(ledger, "--checkpoint", kept).code == 0


def witness(name: str = "witness.example/w1") -> tuple[NoteKey, Callable[[bytes], bytes]]:
    key = Ed25519PrivateKey.generate()
    return NoteKey(name, COSIGNATURE, key.public_key().public_bytes_raw()), key.sign


def test_witnesses(bench: Bench, ledger: EvidenceLedger) -> None:
    one, stranger = witness(), witness()
    ledger.decide()
    ledger.seal(one)
    found = bench.verify(ledger, "--witness", one[0].vkey)
    assert found.code == 0
    assert "witness.example/w1 cosigned 1 of 8, the last over 42 leaves at 2026-11-23" in found.text
    silent = bench.verify(ledger, "--witness", stranger[0].vkey)
    assert silent.names("witnesses", "checkpoints.jsonl", "none of the witnesses that you named")
    last = ledger.checkpoints[-1]
    ledger.checkpoints[-1] = replace(last, sealed_at=last.sealed_at + timedelta(hours=1))
    ledger.now += timedelta(hours=1)
    later = bench.verify(ledger, "--witness", one[0].vkey)
    assert later.names("witnesses", "checkpoints.jsonl line 8", "a witness saw it before it was sealed")


def test_a_forged_cosignature(bench: Bench, ledger: EvidenceLedger) -> None:
    key, sign = witness()
    ledger.decide()
    ledger.seal((key, lambda message: sign(message + b" ")))
    assert bench.verify(ledger).code == 0
    found = bench.verify(ledger, "--witness", key.vkey)
    assert found.names("witnesses", "checkpoints.jsonl line 8", "a signature is wrong")


def test_an_empty_ledger(bench: Bench) -> None:
    assert bench.verify(EvidenceLedger()).code == 0


def test_nothing_in_the_period(bench: Bench, ledger: EvidenceLedger) -> None:
    assert bench.check(ledger.write(bench.folder / "pack.zip", 41, 41)).code == 0


def test_a_record_of_another_site(bench: Bench, ledger: EvidenceLedger) -> None:
    assert SITE != "rival"
    ledger.decide(site="rival")
    ledger.seal()
    assert bench.verify(ledger).names("signatures", "records.jsonl leaf 41", "of another schema, site or ledger")
