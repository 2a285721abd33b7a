"""A pack is whole, the same each time and written in little memory; and no changed byte of it goes unseen."""

import ast
import hashlib
import json
import sys
import tracemalloc
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_server.audit import pack, verify
from consent_server.audit.pack import PackEntry, stream_pack
from consent_server.core.notes import parse_vkey
from tests.support.evidence_ledger import NOTICE, ORIGIN, PICTURE, WIDGET, EvidenceLedger, Row, rewrite

SCRIPT = Path(pack.__file__).with_name("verify.py")
FILES = {
    "README.md", "verify.py", "keys.json", "records.jsonl", "removals.jsonl", "checkpoints.jsonl",
    "publications.jsonl", "configurations.jsonl", "pictures.jsonl", f"pictures/{PICTURE}.png", "timestamps.jsonl",
    f"notices/{NOTICE.hash}.json", f"widget/{WIDGET}.js",
    "manifest.json", "manifest.jws",
}  # fmt: skip
# RFC 8032, section 7.1: public key, message, signature of tests 1, 2, 3 and SHA(abc).
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


@pytest.fixture(scope="module")
def ledger() -> EvidenceLedger:
    """Leaf 30 removes 3 to 5; checkpoints at 7, 14, 21, 28, 30, 31."""
    made = EvidenceLedger.of(30)
    made.remove((3, 5))
    made.seal()
    return made


@pytest.fixture(scope="module")
def good(ledger: EvidenceLedger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ledger.write(tmp_path_factory.mktemp("packs") / "good.zip")


def files_of(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def holds(path: Path, *kept: str) -> bool:
    result = verify.verify(str(path), verify.Options(kept=[("kept", note) for note in kept]))
    return bool(result["ok"])


# --- The writer ---


def test_the_manifest_names_every_file_but_itself(good: Path) -> None:
    files = files_of(good)
    manifest = json.loads(files["manifest.json"])
    assert set(files) == FILES
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for name, data in files.items()
        if not name.startswith("manifest")
    }


def test_a_line_a_leaf(good: Path, ledger: EvidenceLedger) -> None:
    found = lines(files_of(good)["records.jsonl"])
    assert [line["leaf_index"] for line in found] == list(range(31))
    assert found[4] == {
        "leaf_index": 4,
        "leaf": ledger.tiles[4].hex(),
        "receipt": None,
        "salt": None,
        "hashes": [value.hex() for value in ledger.tree().inclusion_proof(4)],
        "removed_by": 30,
    }


def test_the_keys_are_a_key_set_and_note_keys(good: Path, ledger: EvidenceLedger) -> None:
    keys = json.loads(files_of(good)["keys.json"])
    assert keys["keys"] == ledger.ring.public_jwks()["keys"]
    assert [parse_vkey(text) for text in keys["ledger"]] == list(ledger.ring.note_keys(ORIGIN))


def test_the_same_contents_give_the_same_bytes(good: Path, ledger: EvidenceLedger) -> None:
    streamed = list(stream_pack(ledger.contents()))
    assert b"".join(streamed) == good.read_bytes()


def test_progress_counts_records(ledger: EvidenceLedger) -> None:
    seen: list[int] = []
    b"".join(stream_pack(ledger.contents(), seen.append))
    assert seen == list(range(1, 32))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_pack(ledger: EvidenceLedger) -> None:
    receipt = ledger.rows[0].receipt

    def entries(count: int) -> Iterator[PackEntry]:
        for index in range(count):
            path = [hashlib.sha256(index.to_bytes(8) + bytes([level])).digest() for level in range(12)]
            yield PackEntry(index, path[0], path, receipt, path[1])

    tracemalloc.start()
    written = sum(map(len, stream_pack(ledger.contents(entries=entries(4000), end=4000, tree_size=4000))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written > 3 * pack.CHUNK
    assert peak < 2 * written
    assert peak < 3 * 1024 * 1024


def test_a_reader_that_goes_away_closes_the_pack(ledger: EvidenceLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "CHUNK", 1000)
    stream = stream_pack(ledger.contents())
    next(stream)
    stream.close()  # type: ignore[attr-defined]


def test_a_database_that_fails_leaves_no_pack(ledger: EvidenceLedger, tmp_path: Path) -> None:
    def entries() -> Iterator[PackEntry]:
        yield PackEntry(0, bytes(32), [])
        raise OSError("the database went away")

    with pytest.raises(OSError, match="went away"):
        ledger.write(tmp_path / "pack.zip", entries=entries())
    assert not holds(tmp_path / "pack.zip")


@pytest.mark.parametrize("widget", ["../../etc/passwd", "a" * 65, 7, None])
def test_an_altered_receipt_chooses_no_file_name(ledger: EvidenceLedger, tmp_path: Path, widget: Any) -> None:
    altered = replace(ledger, rows=[Row(ledger.receipt(widget=widget), bytes(32), bytes(32)), *ledger.rows[1:]])
    path = altered.write(tmp_path / "pack.zip", widget=lambda _: "code")
    assert set(files_of(path)) == FILES
    assert not holds(path)


@pytest.mark.parametrize("receipt", ["", "no receipt", "a.!.c", "a.e30.c", "\u00e9.\u00e9.\u00e9", "a.W10.c"])
def test_an_unreadable_record_is_exported_as_it_is(ledger: EvidenceLedger, tmp_path: Path, receipt: str) -> None:
    altered = replace(ledger, rows=[Row(receipt, bytes(32), bytes(32)), *ledger.rows[1:]])
    path = altered.write(tmp_path / "pack.zip")
    assert lines(files_of(path)["records.jsonl"])[0]["receipt"] == receipt
    assert not holds(path)


def test_what_was_shown_is_dated(ledger: EvidenceLedger, tmp_path: Path) -> None:
    path = ledger.write(tmp_path / "pack.zip")
    assert files_of(path)[f"pictures/{PICTURE}.png"] == b"PNG"
    assert lines(files_of(path)["pictures.jsonl"]) == [
        {
            "picture": PICTURE,
            "notice": NOTICE.hash,
            "widget": WIDGET,
            "language": "en",
            "width": 390,
            "browser": "Chromium 1",
            "taken_at": "2026-11-23T17:00:00.250Z",
        }
    ]
    (served,) = lines(files_of(path)["configurations.jsonl"])
    assert (served["main"], served["preferences"], served["details"]) == ('{"a": 1}', "{}", "[]")
    assert holds(path)


def test_code_that_was_called_with_two_texts_stays_so(ledger: EvidenceLedger, tmp_path: Path) -> None:
    parts = {"main": "{}", "preferences": "{}"}
    ledger.configurations.append(replace(ledger.configurations[0], parts=parts))
    path = ledger.write(tmp_path / "pack.zip")
    three, two = lines(files_of(path)["configurations.jsonl"])
    assert three.keys() - two.keys() == {"details"}
    assert holds(path)


def test_the_readme_names_each_proof_of_the_cnil(good: Path) -> None:
    text = files_of(good)["README.md"].decode()
    assert "2020-092" in text
    assert "$" not in text
    for name in ("widget/", "notices/", "publications.jsonl", "checkpoints.jsonl", "escrow", ORIGIN):
        assert name in text


# --- The script ---


def test_the_script_needs_python_3_8_and_its_standard_library() -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 8))
    imports = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imports |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imports} <= sys.stdlib_module_names | {"__future__"}


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_rfc_8032(public: str, message: str, signature: str) -> None:
    whole = (bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))
    assert verify.genuine([whole])
    for position in range(64):
        flipped = bytearray(whole[2])
        flipped[position] ^= 1 << position % 8
        assert not verify.genuine([(whole[0], whole[1], bytes(flipped))])
    assert not verify.genuine([(whole[0], whole[1] + b"x", whole[2])])


def test_all_vectors_at_once() -> None:
    whole = [(bytes.fromhex(a), bytes.fromhex(b), bytes.fromhex(c)) for a, b, c in VECTORS]
    assert verify.forged(whole) == []
    assert verify.forged([whole[0], (whole[1][0], b"", whole[1][2]), *whole[2:]]) == [1]


def test_a_signature_has_one_spelling() -> None:
    public, message, signature = (bytes.fromhex(value) for value in VECTORS[2])
    s = int.from_bytes(signature[32:], "little") + verify.L
    assert not verify.genuine([(public, message, signature[:32] + s.to_bytes(32, "little"))])
    assert not verify.genuine([(public, message, signature + b"\x00")])


def test_a_key_that_anybody_can_sign_for_is_refused() -> None:
    neutral = (1).to_bytes(32, "little")
    # Of the neutral point every signature with R = sB holds.
    assert verify.genuine([(neutral, b"anything", neutral + bytes(32))])
    x = urlsafe_b64encode(neutral).rstrip(b"=").decode()
    named = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    kid = urlsafe_b64encode(hashlib.sha256(named.encode()).digest()).rstrip(b"=").decode()
    with pytest.raises(verify.Wrong, match="small order"):
        verify.read_jwks({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid}]})


@pytest.mark.slow
@settings(max_examples=25)
@given(st.lists(st.tuples(st.binary(max_size=100), st.integers(0, 2), st.booleans()), min_size=1, max_size=20))
def test_a_batch_names_exactly_what_was_altered(cases: list[tuple[bytes, int, bool]]) -> None:
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(3)]
    signatures = []
    for message, number, altered in cases:
        key = keys[number]
        signature = key.sign(message + b"x" if altered else message)
        signatures.append((key.public_key().public_bytes_raw(), message, signature))
    assert verify.forged(signatures) == [position for position, case in enumerate(cases) if case[2]]


def test_roots_and_consistency_are_those_of_the_ledger() -> None:
    ledger = EvidenceLedger()
    roots = [b""]
    leaves = verify.Leaves(0, [])
    for _ in range(40):
        ledger.append("receipt")
        leaves.push(ledger.tiles[-1])
        roots.append(ledger.tree().root())
        assert leaves.root() == roots[-1]
        size = len(ledger.tiles)
        for old in range(1, size + 1):
            path = ledger.tree().consistency_proof(old)
            assert verify.consistent(old, size, path, roots[old], roots[size])
            if old < size:
                assert not verify.consistent(old, size, path, roots[size], roots[size])


ranges = st.sets(st.integers(0, 30)).map(sorted)


@given(ranges, ranges)
def test_ranges_are_subtracted(these: list[int], those: list[int]) -> None:
    found = verify.minus(closed(these), closed(those))
    assert [number for low, high in found for number in range(low, high + 1)] == sorted(set(these) - set(those))


def closed(numbers: list[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        verify.extend(found, number)
    return found


@pytest.mark.slow
def test_every_part_between_two_checkpoints_holds(ledger: EvidenceLedger, tmp_path: Path) -> None:
    kept = [one.note for one in ledger.checkpoints]
    for first, end in combinations([0, *(one.size for one in ledger.checkpoints)], 2):
        within = [note for one, note in zip(ledger.checkpoints, kept, strict=True) if first <= one.size <= end]
        assert holds(ledger.write(tmp_path / "part.zip", first, end), *within)


def test_more_processes_find_the_same(ledger: EvidenceLedger, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "LINES_AT_ONCE", 2)
    one, two = (verify.verify(str(good), verify.Options(jobs=jobs)) for jobs in (1, 2))
    assert one == two
    assert one["ok"]


@pytest.mark.slow
@settings(max_examples=60)
@given(st.data())
def test_every_changed_byte_of_a_pack_is_seen(good: Path, data: st.DataObject) -> None:
    files = files_of(good)
    name = data.draw(st.sampled_from(sorted(name for name in files if files[name])))
    position = data.draw(st.integers(0, len(files[name]) - 1))
    flip = data.draw(st.integers(1, 255))

    def change(files: dict[str, bytes]) -> None:
        altered = bytearray(files[name])
        altered[position] ^= flip
        files[name] = bytes(altered)

    path = good.with_name("altered.zip")
    path.write_bytes(good.read_bytes())
    assert not holds(rewrite(path, change))


@pytest.mark.slow
@settings(max_examples=60)
@given(st.data())
def test_every_altered_record_is_seen_under_an_honest_manifest(good: Path, data: st.DataObject) -> None:
    """The database was altered, and the server exports and signs what it finds there."""
    ledger = EvidenceLedger.of(9)
    row = ledger.rows[data.draw(st.integers(0, 8))]
    field = data.draw(st.sampled_from(["receipt", "salt", "leaf"]))
    if field == "receipt":
        receipt = str(row.receipt)
        position = data.draw(st.integers(0, len(receipt) - 1))
        letter = data.draw(st.sampled_from("ABab01-_.").filter(lambda letter: letter != receipt[position]))
        row.receipt = receipt[:position] + letter + receipt[position + 1 :]
    else:
        value = bytearray(getattr(row, field))
        value[data.draw(st.integers(0, 31))] ^= data.draw(st.integers(1, 255))
        setattr(row, field, bytes(value))
    assert not holds(ledger.write(good.with_name("altered.zip")))
