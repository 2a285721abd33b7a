"""verify.py on the timestamps of a pack: what it finds wrong, and what it says that it did not check."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from consent_server.audit import verify
from consent_server.audit.pack import PackPublication, PackTimestamp
from consent_server.core.notes import COSIGNATURE, NoteKey, cosign_note, format_note, parse_note
from consent_server.ledger.rfc3161 import query, stamped_at
from tests.support.evidence_ledger import CODE, NOTICE, EvidenceLedger
from tests.support.timestamp_authority import Maker, openssl
from tests.support.verify_bench import SCRIPT, Bench

Alter = Callable[[EvidenceLedger], None]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "bench").mkdir()
    return Bench(tmp_path / "bench")


@pytest.fixture
def stamped(maker: Maker) -> EvidenceLedger:
    """Nine leaves under checkpoints at 7 and 9, made just now. Stamped: the first, the notice, the code."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    publications = [PackPublication(NOTICE.hash, now)]
    ledger = EvidenceLedger(now=now, publications=publications, configurations=[], pictures=[])
    for count in (7, 2):
        for _ in range(count):
            ledger.decide()
        ledger.seal()
    notice = ledger.notices[NOTICE.hash]
    contents = [("checkpoint", 7, ledger.checkpoints[0].note.encode()), ("notice", None, notice)]
    for kind, size, content in [*contents, ("widget", None, CODE.encode())]:
        ledger.timestamps.append(timestamp(maker, kind, size, content))
    return ledger


def timestamp(maker: Maker, kind: str, size: int | None, content: bytes) -> PackTimestamp:
    reply, digest = maker.reply(query(content).der), sha256(content).digest()
    return PackTimestamp(kind, size, digest, stamped_at(reply, digest, maker.roots.read_bytes()), reply)


def test_a_good_pack_passes_and_says_who_is_still_to_be_asked(
    bench: Bench, stamped: EvidenceLedger, maker: Maker
) -> None:
    pack = stamped.write(bench.folder / "pack.zip")
    done = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, pack], capture_output=True, text=True, check=True, env={}
    )
    assert "ok    timestamps   each RFC 3161 answer is about what it is said to stamp" in done.stdout
    assert "(3, the latest over " in done.stdout
    assert "Not checked here: whether a timestamp authority signed" in done.stdout
    with ZipFile(pack) as archive:
        archive.extractall(bench.folder)
    commands = [line.strip() for line in done.stdout.splitlines() if line.startswith("      openssl ts -verify")]
    assert len(commands) == 3
    for command in commands:
        words = command.replace("AUTHORITY.pem", str(maker.roots)).split()
        assert "Verification: OK" in openssl(bench.folder, *words[1:])


def test_lines_that_witnesses_add_later_change_nothing(bench: Bench, stamped: EvidenceLedger) -> None:
    private = Ed25519PrivateKey.generate()
    key = NoteKey("witness.example", COSIGNATURE, private.public_key().public_bytes_raw())
    first = stamped.checkpoints[0]
    note = parse_note(first.note)
    line = cosign_note(note.text, key, int(first.sealed_at.timestamp()), private.sign)
    both = format_note(replace(note, signatures=(*note.signatures, line)))
    stamped.checkpoints[0] = replace(first, note=both)
    assert bench.verify(stamped).code == 0


def test_a_pack_holds_the_timestamps_of_what_is_in_it(bench: Bench, stamped: EvidenceLedger) -> None:
    def files(**changes: object) -> set[str]:
        with ZipFile(stamped.write(bench.folder / "pack.zip", **changes)) as archive:
            return {name for name in archive.namelist() if name.startswith("timestamps/")}

    assert files() == {f"timestamps/{one.digest.hex()}.tsr" for one in stamped.timestamps}
    later = [replace(one, size=7_000_000) for one in stamped.timestamps if one.kind == "checkpoint"]
    assert files(timestamps=later) == set()
    assert files(notice=lambda _: None, timestamps=stamped.timestamps[1:2]) == set()


def of_something_else(ledger: EvidenceLedger) -> None:
    # What is said beside it is right; the answer itself is the notice's.
    ledger.timestamps[0] = replace(ledger.timestamps[0], reply=ledger.timestamps[1].reply)


def imprint_altered(ledger: EvidenceLedger) -> None:
    first = ledger.timestamps[0]
    other = sha256(b"another checkpoint").digest()
    ledger.timestamps[0] = replace(first, reply=first.reply.replace(first.digest, other))


def of_another_checkpoint(ledger: EvidenceLedger) -> None:
    ledger.timestamps[0] = replace(ledger.timestamps[0], size=9)


def time_beside_it_altered(ledger: EvidenceLedger) -> None:
    first = ledger.timestamps[0]
    ledger.timestamps[0] = replace(first, stamped_at=first.stamped_at - timedelta(seconds=1))


def sealed_long_after(ledger: EvidenceLedger) -> None:
    ledger.checkpoints = [replace(one, sealed_at=one.sealed_at + timedelta(hours=1)) for one in ledger.checkpoints]
    ledger.now += timedelta(hours=1)


def published_long_after(ledger: EvidenceLedger) -> None:
    ledger.publications = [replace(ledger.publications[0], published_at=ledger.now + timedelta(hours=1))]


def of_the_future(ledger: EvidenceLedger) -> None:
    ledger.now -= timedelta(days=1)
    # Where all is a day older but what the authority said.
    ledger.checkpoints = [replace(one, sealed_at=one.sealed_at - timedelta(days=1)) for one in ledger.checkpoints]
    ledger.publications = [PackPublication(NOTICE.hash, ledger.now - timedelta(days=1))]


def refused_by_the_authority(ledger: EvidenceLedger) -> None:
    first = ledger.timestamps[0]
    place = first.reply.index(b"\x30\x03\x02\x01\x00") + 4
    ledger.timestamps[0] = replace(first, reply=first.reply[:place] + b"\x02" + first.reply[place + 1 :])


def cut_short(ledger: EvidenceLedger) -> None:
    ledger.timestamps[0] = replace(ledger.timestamps[0], reply=ledger.timestamps[0].reply[:100])


def empty(ledger: EvidenceLedger) -> None:
    ledger.timestamps[0] = replace(ledger.timestamps[0], reply=b"")


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (of_something_else, "it is a timestamp of something else than the checkpoint of 7 leaves"),
        (imprint_altered, "it is a timestamp of something else than the checkpoint of 7 leaves"),
        (of_another_checkpoint, "it is a timestamp of something else than the checkpoint of 9 leaves"),
        (time_beside_it_altered, "not the one that its line says"),
        (sealed_long_after, "before it was made: it was dated later"),
        (of_the_future, "after the pack was made"),
        (refused_by_the_authority, "the authority granted no timestamp"),
        (cut_short, "it is cut short"),
        (empty, "it does not have the form of an RFC 3161 answer"),
    ],
)
def test_what_does_not_fit_is_named(bench: Bench, stamped: EvidenceLedger, alter: Alter, reason: str) -> None:
    place = f"timestamps/{stamped.timestamps[0].digest.hex()}.tsr"
    alter(stamped)
    found = bench.verify(stamped)
    assert found.code == 1
    assert found.names("timestamps", place, reason), found.fails


def test_a_notice_that_was_dated_later(bench: Bench, stamped: EvidenceLedger) -> None:
    published_long_after(stamped)
    place = f"timestamps/{NOTICE.hash}.tsr"
    assert bench.verify(stamped).names("timestamps", place, f"the authority saw notices/{NOTICE.hash}.json on")


def test_a_file_that_no_line_names(bench: Bench, stamped: EvidenceLedger) -> None:
    place = f"timestamps/{stamped.timestamps[0].digest.hex()}.tsr"
    with ZipFile(stamped.write(bench.folder / "pack.zip")) as archive:
        archive.extractall(bench.folder / "pack")
    lines = (bench.folder / "pack" / "timestamps.jsonl").read_text().splitlines(keepends=True)
    (bench.folder / "pack" / "timestamps.jsonl").write_text("".join(lines[1:]))
    assert bench.check(bench.folder / "pack").names("timestamps", place, "timestamps.jsonl does not name it")


@pytest.mark.parametrize("line", ["[]", "{}", '{"kind":"notice","size":null,"digest":7,"stamped_at":""}', "x"])
def test_a_line_without_its_form(bench: Bench, stamped: EvidenceLedger, line: str) -> None:
    with ZipFile(stamped.write(bench.folder / "pack.zip")) as archive:
        archive.extractall(bench.folder / "pack")
    (bench.folder / "pack" / "timestamps.jsonl").write_text(f"{line}\n")
    found = bench.check(bench.folder / "pack")
    assert ("timestamps", "timestamps.jsonl line 1") in [(check, place) for check, place, _ in found.fails]


def test_the_time_is_that_of_the_authority(stamped: EvidenceLedger) -> None:
    for one in stamped.timestamps:
        assert verify.read_timestamp(one.reply) == (one.digest, one.stamped_at.timestamp())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(b"19700101000000Z", 0), (b"20261123170005.25Z", 1795453205.25), (b"20261123170005.5Z", 1795453205.5)],
)
def test_times_with_fractions(text: bytes, seconds: float) -> None:
    assert verify.read_time(text) == seconds


@pytest.mark.parametrize(
    "text", [b"", b"20261123170005", b"20261123170005.Z", b"20261123170005.0Z", b"20261323170005Z", b"202611231700Z"]
)
def test_times_that_rfc_3161_does_not_have(text: bytes) -> None:
    with pytest.raises(verify.Wrong, match="time cannot be read"):
        verify.read_time(text)


@given(st.data())
def test_bytes_that_are_no_answer_are_refused(data: st.DataObject) -> None:
    reply = data.draw(
        st.binary(max_size=64) | st.binary(max_size=40).map(lambda inner: b"\x30\x84\x00\x00\x00" + inner)
    )
    with pytest.raises(verify.Wrong):
        verify.read_timestamp(reply)


def test_the_json_lists_what_is_unchecked(bench: Bench, stamped: EvidenceLedger) -> None:
    said = json.loads(bench.verify(stamped).text)["unchecked"]
    assert [command.split()[6] for command in said] == [one.digest.hex() for one in stamped.timestamps]
