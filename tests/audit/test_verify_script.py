"""verify.py on bare Python: a good pack passes, and whatever was done to the database is named for what it is.

The attacker here writes to the database, and has the honest server export and sign what it then finds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest

from consent_server.audit.pack import PackPublication
from consent_server.decisions.rules_contents import commitment
from consent_server.ledger.rules import leaf_hash
from consent_server.ledger.rules_removal import Rule
from tests.support import jose
from tests.support.evidence_ledger import NOTICE, PARTS, PICTURE, WIDGET, EvidenceLedger, Row, new_ring
from tests.support.factories import START
from tests.support.verify_bench import SCRIPT, Bench

NOTICE_FILE = f"notices/{NOTICE.hash}.json"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_good_pack_of_200_passes(bench: Bench) -> None:
    ledger = EvidenceLedger.of(200)
    ledger.remove((3, 5), (9, 9))
    ledger.remove((11, 60), rule=Rule.RETENTION)
    ledger.seal()
    found = bench.run(SCRIPT, ledger.write(bench.folder / "pack.zip"))
    assert found.code == 0
    assert "leaves 0 to 201 of 202: 146 receipts, 2 removal entries, 54 removed" in found.text


def test_the_unpacked_folder_checks_itself(bench: Bench, ledger: EvidenceLedger) -> None:
    folder = bench.folder / "unpacked"
    with ZipFile(ledger.write(bench.folder / "pack.zip")) as archive:
        archive.extractall(folder)
    (folder / "a lawyer's note.txt").touch()
    assert bench.run(folder / "verify.py").code == 0
    (folder / "widget" / f"{'0' * 64}.js").touch()
    assert bench.run(folder / "verify.py").names("files", f"widget/{'0' * 64}.js", "it was added")


def test_it_says_in_words_what_it_checked(bench: Bench, ledger: EvidenceLedger) -> None:
    ledger.rows[12].salt = bytes(32)
    done = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, ledger.write(bench.folder / "pack.zip")],
        cwd=bench.folder, env={}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "FAIL  leaves       salt and receipt make the leaf that the ledger holds" in done.stdout
    assert "      records.jsonl leaf 12: salt and receipt do not make this leaf" in done.stdout
    assert f"key   {ledger.ring.kid}" in done.stdout
    assert done.stdout.endswith("The pack DOES NOT hold.\n")


# --- Whoever writes to the database, without the key ---

Attack = Callable[[EvidenceLedger], None]
ATTACKS: dict[str, tuple[Attack, str, str, str]] = {}


def attack(check: str, place: str, reason: str) -> Callable[[Attack], Attack]:
    """Name what an attack must be found by."""

    def enter(function: Attack) -> Attack:
        ATTACKS[function.__name__] = (function, check, place, reason)
        return function

    return enter


@attack("signatures", "records.jsonl leaf 12", "the signature does not match the content")
def altered_receipt(ledger: EvidenceLedger) -> None:
    head, _, signature = str(ledger.rows[12].receipt).split(".")
    claims = ledger.claims(12) | {"grants": {"analytics": True, "advertising": True}}
    ledger.rows[12].receipt = f"{head}.{jose.encode(json.dumps(claims).encode())}.{signature}"


@attack("inclusion", "records.jsonl leaf 12", "does not lead to the newest checkpoint")
def altered_receipt_with_its_leaf_and_tiles(ledger: EvidenceLedger) -> None:
    altered_receipt(ledger)
    row = ledger.rows[12]
    row.leaf = ledger.tiles[12] = leaf_hash(commitment(row.salt or b"", row.receipt or ""))


@attack("records", "records.jsonl leaf 13", "it stands where leaf 12 belongs: a record is missing")
def deleted_record(ledger: EvidenceLedger) -> None:
    ledger.skipped.add(12)


@attack("records", "records.jsonl", "it ends at leaf 38, the manifest at 40")
def deleted_last_records(ledger: EvidenceLedger) -> None:
    ledger.skipped |= {39, 40}


@attack("inclusion", "records.jsonl leaf 12", "does not lead to the newest checkpoint")
def deleted_record_and_closed_the_gap(ledger: EvidenceLedger) -> None:
    del ledger.rows[12], ledger.tiles[12]


@attack("signatures", "records.jsonl leaf 12", "foreign key")
def inserted_record(ledger: EvidenceLedger) -> None:
    ledger.rows.insert(12, ledger.foreign_row())


@attack("unique", "records.jsonl leaf 13", "leaf 12 has the same decision_id")
def inserted_copy(ledger: EvidenceLedger) -> None:
    ledger.rows.insert(13, ledger.rows[12])


@attack("inclusion", "records.jsonl leaf 13", "it was altered, moved or put in later")
def reordered_records(ledger: EvidenceLedger) -> None:
    ledger.rows[12:14] = ledger.rows[13], ledger.rows[12]


@attack("leaves", "records.jsonl leaf 13", "one of the three was altered")
def reordered_receipts_under_their_leaves(ledger: EvidenceLedger) -> None:
    one, two = ledger.rows[12:14]
    ledger.rows[12:14] = replace(two, leaf=one.leaf), replace(one, leaf=two.leaf)


@attack("signatures", "records.jsonl leaf 12", "the signature does not match the content")
def backdated_record(ledger: EvidenceLedger) -> None:
    head, _, signature = str(ledger.rows[12].receipt).split(".")
    claims = ledger.claims(12)
    claims["iat"] -= 86_400
    ledger.rows[12].receipt = f"{head}.{jose.encode(json.dumps(claims).encode())}.{signature}"


@attack("signatures", "records.jsonl leaf 12", "foreign key")
def foreign_key(ledger: EvidenceLedger) -> None:
    ledger.rows[12] = ledger.foreign_row()


@attack("signatures", "records.jsonl leaf 12", "alg EdDSA")
def unsigned_record(ledger: EvidenceLedger) -> None:
    head = jose.encode(json.dumps({"alg": "none", "typ": "consent-receipt+jwt", "kid": ledger.ring.kid}).encode())
    ledger.rows[12].receipt = f"{head}.{str(ledger.rows[12].receipt).split('.')[1]}."


@attack("signatures", "records.jsonl leaf 12", "expected consent-receipt+jwt")
def token_of_another_use(ledger: EvidenceLedger) -> None:
    ledger.rows[12].receipt = ledger.ring.sign(ledger.claims(12), "consent-state+jwt")


@attack("leaves", "records.jsonl leaf 12", "salt and receipt do not make this leaf")
def altered_salt(ledger: EvidenceLedger) -> None:
    ledger.rows[12].salt = bytes(32)


@attack("leaves", "records.jsonl leaf 12", "salt and receipt do not make this leaf")
def removed_salt(ledger: EvidenceLedger) -> None:
    ledger.rows[12].salt = None


@attack("removals", "records.jsonl leaf 12", "the record is gone, and no removal entry is named for it")
def erased_without_a_removal(ledger: EvidenceLedger) -> None:
    ledger.rows[12].receipt = ledger.rows[12].salt = None


@attack("removals", "records.jsonl leaf 12", "gone, but the removal entry of leaf 40 does not name it")
def erased_behind_the_removal_of_others(ledger: EvidenceLedger) -> None:
    ledger.rows[12] = Row(None, None, ledger.rows[12].leaf, 40)


@attack("removals", "records.jsonl leaf 12", "leaf 30, which should say why, is no signed removal entry")
def erased_behind_a_receipt(ledger: EvidenceLedger) -> None:
    ledger.rows[12] = Row(None, None, ledger.rows[12].leaf, 30)


@attack("removals", "records.jsonl leaves 3 to 5", "leaf 40, which should say why, is no signed removal entry")
def removal_not_signed(ledger: EvidenceLedger) -> None:
    ledger.rows[40].receipt = new_ring().sign(ledger.claims(40), "consent-removal+jwt")


@attack("notices", NOTICE_FILE, "its content does not have the SHA-256 of its name")
def altered_notice(ledger: EvidenceLedger) -> None:
    ledger.notices[NOTICE.hash] = ledger.notices[NOTICE.hash].replace(b"cookies", b"biscuits")


@attack("notices", "records.jsonl leaf 12", "is not here whole")
def missing_notice(ledger: EvidenceLedger) -> None:
    ledger.notices.clear()


@attack("notices", "records.jsonl leaf 12", "a notice that was not published yet")
def notice_published_later(ledger: EvidenceLedger) -> None:
    ledger.publications = [PackPublication(NOTICE.hash, ledger.now + timedelta(days=1))]


@attack("shown", "pictures.jsonl line 1", "its notice is not here")
def picture_of_another_notice(ledger: EvidenceLedger) -> None:
    ledger.pictures = [replace(ledger.pictures[0], notice=WIDGET)]


@attack("shown", f"pictures/{PICTURE}.png", "its content does not have the SHA-256 of its name")
def altered_picture(ledger: EvidenceLedger) -> None:
    ledger.pictures = [replace(ledger.pictures[0], png=b"GNP")]


@attack("shown", "configurations.jsonl line 1", "dated after the pack was made")
def configuration_dated_later(ledger: EvidenceLedger) -> None:
    ledger.configurations = [replace(ledger.configurations[0], served_at=ledger.now + timedelta(days=1))]


@attack("shown", "configurations.jsonl line 1", "a line has the fields language, main, notice, preferences")
def configuration_of_one_more_script(ledger: EvidenceLedger) -> None:
    ledger.configurations = [replace(ledger.configurations[0], parts={**PARTS, "more": "{}"})]


@attack("shown", "configurations.jsonl line 1", "dated before its notice was published")
def back_dated_configuration(ledger: EvidenceLedger) -> None:
    ledger.configurations = [replace(ledger.configurations[0], served_at=START - timedelta(days=1))]


@attack("shown", "configurations.jsonl line 2", "dated before the one before it")
def configurations_out_of_order(ledger: EvidenceLedger) -> None:
    later = replace(ledger.configurations[0], served_at=START + timedelta(days=1))
    ledger.configurations = [later, *ledger.configurations]
    ledger.now += timedelta(days=2)


@attack("shown", "configurations.jsonl line 1", "main is not the text of a JSON value")
def configuration_that_is_none(ledger: EvidenceLedger) -> None:
    ledger.configurations = [replace(ledger.configurations[0], parts={**PARTS, "main": "alert(1)"})]


@attack("shown", "pictures.jsonl line 1", "dated before its notice was published")
def back_dated_picture(ledger: EvidenceLedger) -> None:
    ledger.pictures = [replace(ledger.pictures[0], taken_at=START - timedelta(days=1))]


@attack("notices", "publications.jsonl line 2", "dated before the one before it")
def publications_out_of_order(ledger: EvidenceLedger) -> None:
    ledger.publications = [*ledger.publications, PackPublication(NOTICE.hash, START - timedelta(days=1))]


@attack("widgets", f"widget/{WIDGET}.js", "its content does not have the SHA-256 of its name")
def altered_widget(ledger: EvidenceLedger) -> None:
    ledger.widgets[WIDGET] += " "


@attack("widgets", "records.jsonl leaf 12", "is not here")
def missing_widget(ledger: EvidenceLedger) -> None:
    ledger.widgets.clear()


@attack("checkpoints", "checkpoints.jsonl line 3", "a signature is wrong: the checkpoint was altered or forged")
def forged_checkpoint(ledger: EvidenceLedger) -> None:
    # The real signature under the root of another checkpoint of the same ledger.
    roots = [one.note.split("\n")[2] for one in ledger.checkpoints]
    old = ledger.checkpoints[2]
    ledger.checkpoints[2] = replace(old, note=old.note.replace(roots[2], roots[3]))


@attack("checkpoints", "checkpoints.jsonl line 3", "no key of the ledger signed it")
def checkpoint_of_a_foreign_key(ledger: EvidenceLedger) -> None:
    other = EvidenceLedger.of(21)
    ledger.checkpoints[2] = other.checkpoints[2]


@attack("checkpoints", "checkpoints.jsonl line 4", "not longer than the one before, or earlier")
def backdated_checkpoint(ledger: EvidenceLedger) -> None:
    old = ledger.checkpoints[3]
    ledger.checkpoints[3] = replace(old, sealed_at=old.sealed_at - timedelta(hours=1))


@attack("times", "records.jsonl leaf 7", "it was back-dated")
def checkpoint_dated_later(ledger: EvidenceLedger) -> None:
    ledger.checkpoints = [replace(one, sealed_at=one.sealed_at + timedelta(hours=1)) for one in ledger.checkpoints]
    ledger.now += timedelta(hours=1)


@attack("checkpoints", "checkpoints.jsonl", "the one of 41 leaves is missing: the list was cut")
def truncated_checkpoints(ledger: EvidenceLedger) -> None:
    ledger.size = 41
    ledger.checkpoints.pop()


@attack("checkpoints", "checkpoints.jsonl", "nothing says what the ledger holds")
def no_checkpoints(ledger: EvidenceLedger) -> None:
    ledger.size = 41
    ledger.checkpoints.clear()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_database_was_altered(bench: Bench, ledger: EvidenceLedger, name: str) -> None:
    alter, check, place, reason = ATTACKS[name]
    alter(ledger)
    found = bench.verify(ledger)
    assert found.code == 1
    assert found.names(check, place, reason), found.fails


def test_a_whole_ledger_of_a_foreign_key_needs_an_outside_anchor(bench: Bench, ledger: EvidenceLedger) -> None:
    known = bench.keep("jwks.json", json.dumps(ledger.ring.public_jwks()))
    kept = bench.keep("kept.txt", ledger.checkpoints[2].note)
    forged = EvidenceLedger.of(40)
    assert bench.verify(forged).code == 0
    assert bench.verify(forged, "--keys", known).names("keys", "keys.json", "it is not among those that you know")
    assert bench.verify(forged, "--checkpoint", kept).names("kept", str(kept), "no key of the ledger signed it")
    assert bench.verify(ledger, "--keys", known, "--checkpoint", kept).code == 0


def test_what_nothing_signed_when_it_was_made_is_held_by_the_manifest_alone(
    bench: Bench, ledger: EvidenceLedger
) -> None:
    ledger.configurations = [replace(ledger.configurations[0], parts={**PARTS, "main": "{}"})]
    ledger.publications = [PackPublication(NOTICE.hash, START - timedelta(days=1))]
    # docs/formats/evidence.md, section 8.2: only an older pack shows it.
    assert bench.verify(ledger).code == 0


def test_on_a_terminal_it_says_how_far_it_is(bench: Bench, ledger: EvidenceLedger) -> None:
    terminal, end = os.openpty()
    try:
        pack = ledger.write(bench.folder / "pack.zip")
        subprocess.run(
            [sys.executable, "-I", "-S", SCRIPT, pack], env={}, stderr=end, stdout=subprocess.PIPE, check=True
        )
        said = os.read(terminal, 4096).decode()
    finally:
        os.close(terminal)
        os.close(end)
    assert said.startswith("\r")
    assert "records checked" in said
    assert said.endswith("\r")
