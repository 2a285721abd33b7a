"""Notes are read in one spelling only, and trusted only with a known key's signature."""

import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from consent_server.core.errors import InvalidProof
from consent_server.core.notes import (
    COSIGNATURE,
    ED25519,
    MAX_NOTE_BYTES,
    MAX_NUMBER,
    MAX_SIGNATURES,
    Checkpoint,
    Note,
    NoteKey,
    Signature,
    Signed,
    Verify,
    cosign_note,
    cosignature_message,
    format_note,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_signatures,
    parse_vkey,
    sign_note,
    verify_note,
)
from consent_server.decisions.rules_contents import commitment
from consent_server.ledger.rules import EMPTY_ROOT, leaf_hash, verify_inclusion

VECTOR = json.loads((Path(__file__).parents[1] / "data/test-vectors.json").read_text())["c2sp_signed_note"]
DOCUMENT = Path(__file__).parents[2] / "docs/formats/checkpoint.md"
ORIGIN = "consent.example/ledger/shop"
DASH = "\u2014"


def public_bytes(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def verifier(public: bytes) -> Verify:
    key = Ed25519PublicKey.from_public_bytes(public)

    def verify(message: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify


def known(*keys: NoteKey) -> dict[NoteKey, Verify]:
    return {key: verifier(key.public) for key in keys}


LOG_SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS_SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
LOG = NoteKey(ORIGIN, ED25519, public_bytes(LOG_SECRET))
WITNESS = NoteKey("witness.example/w1", COSIGNATURE, public_bytes(WITNESS_SECRET))
STRANGER = NoteKey("stranger.example", ED25519, public_bytes(WITNESS_SECRET))

CHECKPOINT = Checkpoint(ORIGIN, 20852163, bytes(range(100, 132)))
LOG_LINE = sign_note(CHECKPOINT.text, LOG, LOG_SECRET.sign)
WITNESS_LINE = cosign_note(CHECKPOINT.text, WITNESS, 1679315147, WITNESS_SECRET.sign)
NOTE = format_note(Note(CHECKPOINT.text, (LOG_LINE,)))
COSIGNED = format_note(Note(CHECKPOINT.text, (LOG_LINE, WITNESS_LINE)))

names = st.text(st.characters(exclude_characters="+", exclude_categories=["Cs", "Cc", "Z"]), min_size=1)
lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
signatures = st.builds(Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))
notes = st.builds(
    Note,
    st.lists(lines, min_size=1, max_size=5).map(lambda many: "\n".join(many) + "\n"),
    st.lists(signatures, min_size=1, max_size=4).map(tuple),
)


class TestVector:
    def test_key(self) -> None:
        key = parse_vkey(VECTOR["vkey"])
        assert key.vkey == VECTOR["vkey"]
        assert key.id.hex() == VECTOR["key_id_hex"]

    def test_note(self) -> None:
        text = f"{VECTOR['text']}\n{VECTOR['signature_line']}\n"
        key = parse_vkey(VECTOR["vkey"])
        note = parse_note(text)
        assert note.text == VECTOR["text"]
        assert format_note(note) == text
        assert verify_note(note, known(key)) == (Signed(key, None),)

    def test_cosigned_message_of_the_specification(self) -> None:
        text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        assert parse_checkpoint(text).text == text
        assert cosignature_message(text, 1679315147).decode() == f"cosignature/v1\ntime 1679315147\n{text}"


class TestDocument:
    def test_the_example_verifies(self) -> None:
        note, keys, receipt, proof = re.findall(r"^```(?:json)?\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)
        parsed = [parse_vkey(line) for line in keys.splitlines()]
        assert [one.key for one in verify_note(parse_note(note), known(*parsed))] == parsed
        checkpoint = open_checkpoint(note, known(parsed[0]))
        claim = json.loads(proof)
        leaf = leaf_hash(commitment(bytes.fromhex(claim["salt"]), receipt.strip()))
        hashes = [bytes.fromhex(value) for value in claim["hashes"]]
        verify_inclusion(leaf, claim["leaf_index"], checkpoint.size, hashes, checkpoint.root)


class TestFormat:
    @given(notes)
    def test_round_trip(self, note: Note) -> None:
        assert parse_note(format_note(note)) == note
        assert parse_note(format_note(note).encode()) == note

    @given(st.binary() | st.text())
    def test_noise_raises_one_family(self, noise: bytes | str) -> None:
        for parse in (parse_note, parse_signatures):
            with pytest.raises(InvalidProof):
                parse(noise)

    @given(st.integers(0, len(COSIGNED) - 1), st.characters())
    def test_what_is_read_is_written_the_same(self, place: int, other: str) -> None:
        altered = COSIGNED[:place] + other + COSIGNED[place + 1 :]
        try:
            note = parse_note(altered)
        except InvalidProof:
            return
        assert format_note(note) == altered

    def test_text_may_hold_blank_lines(self) -> None:
        text = f"one\n\n{DASH} looks like a signature\n\ntwo\n"
        assert parse_note(format_note(Note(text, (LOG_LINE,)))).text == text

    @pytest.mark.parametrize(
        ("defect", "reason"),
        [
            pytest.param(NOTE[:-1], "end in a newline", id="no last newline"),
            pytest.param(NOTE.replace("\n", "\r\n"), "control characters", id="CRLF"),
            pytest.param(NOTE.replace("shop", "sh\top"), "control characters", id="tab"),
            pytest.param(NOTE.replace("shop", "sh\0op"), "control characters", id="NUL"),
            pytest.param(NOTE.replace("\n\n", "\n"), "blank line", id="no blank line"),
            pytest.param(CHECKPOINT.text + "\n", "signature line reads|end in a newline", id="no signature"),
            pytest.param(NOTE + "\n", "end in a newline", id="blank line at the end"),
            pytest.param(NOTE.replace(DASH, "-"), "em dash", id="hyphen"),
            pytest.param(NOTE.replace(DASH, "\u2013"), "em dash", id="en dash"),
            pytest.param(NOTE.replace(f"{DASH} ", DASH), "em dash", id="no space"),
            pytest.param(NOTE.replace(f"{DASH} ", f"{DASH}  "), "em dash", id="two spaces"),
            pytest.param(NOTE[:-1] + " \n", "em dash", id="space at the end"),
            pytest.param(NOTE.replace(f"{DASH} consent", f"{DASH} con\u00a0sent"), "key name", id="odd space"),
            pytest.param(NOTE.replace(f"{DASH} consent", f"{DASH} con+sent"), "key name", id="plus"),
            pytest.param(NOTE.replace(f"{DASH} {ORIGIN} ", f"{DASH}  "), "key name", id="no name"),
            pytest.param(NOTE[:-2] + "\n", "base64", id="no padding"),
            pytest.param(NOTE[:-2] + "==\n", "base64", id="too much padding"),
            pytest.param(NOTE[:-10] + "-_" + NOTE[-8:], "base64", id="URL alphabet"),
            pytest.param(f"a\n\n{DASH} name AAAAAAB=\n", "base64", id="stray bits"),
            pytest.param(f"a\n\n{DASH} name \n", "base64", id="empty signature"),
            pytest.param(f"a\n\n{DASH} name AAAAAA==\n", "cut short", id="key id alone"),
            pytest.param(f"a\n\n{DASH} name ÀÀÀÀ\n", "base64", id="not ASCII"),
            pytest.param(NOTE.encode("utf-16"), "UTF-8", id="UTF-16"),
            pytest.param(b"\xff" + NOTE.encode(), "UTF-8", id="stray byte"),
            pytest.param("\ud800" + NOTE, "UTF-8", id="lone surrogate"),
            pytest.param("x" * MAX_NOTE_BYTES + NOTE, "longer than", id="too long"),
            pytest.param(NOTE + LOG_LINE.line * MAX_SIGNATURES, "more than 64", id="too many signatures"),
        ],
    )
    def test_defects_are_named(self, defect: bytes | str, reason: str) -> None:
        with pytest.raises(InvalidProof, match=reason):
            parse_note(defect)

    @pytest.mark.parametrize(
        "note",
        [
            Note("no newline", (LOG_LINE,)),
            Note("text\n", ()),
            Note("text\r\n", (LOG_LINE,)),
            Note("text\n", (Signature("a name", bytes(4), bytes(64)),)),
            Note("text\n", (Signature("name", bytes(3), b"x"),)),
            Note("text\n", (Signature("name", bytes(3), bytes(64)),)),
            Note(f"text\n\n{DASH} name AAAAAAA=", (LOG_LINE,)),
            Note("text\n", (Signature(f"name AAAA\n{DASH} name", bytes(4), bytes(64)),)),
        ],
    )
    def test_nothing_unreadable_is_written(self, note: Note) -> None:
        with pytest.raises(InvalidProof):
            format_note(note)


class TestKey:
    @given(names, st.sampled_from([ED25519, COSIGNATURE]), st.binary(min_size=32, max_size=32))
    def test_round_trip(self, name: str, kind: int, public: bytes) -> None:
        key = NoteKey(name, kind, public)
        assert parse_vkey(key.vkey) == key

    def test_name_and_use_are_part_of_the_id(self) -> None:
        same_public = LOG.public
        keys = [
            LOG,
            NoteKey(ORIGIN, COSIGNATURE, same_public),
            NoteKey("other.example", ED25519, same_public),
        ]
        assert len({key.id for key in keys}) == 3

    @pytest.mark.parametrize(
        ("defect", "reason"),
        [
            ("", "base64"),
            (ORIGIN, "base64"),
            (LOG.vkey[:-1], "base64"),
            (LOG.vkey + "\n", "base64"),
            (f"{ORIGIN}+{LOG.id.hex().upper()}+{LOG.vkey.split('+', 2)[2]}", r"name\+id\+key"),
            (LOG.vkey.replace(LOG.id.hex(), "00000000"), "does not match its name"),
            (LOG.vkey.replace("shop", "shot"), "does not match its name"),
            (LOG.vkey.replace("shop", "sh op"), "key name"),
            (LOG.vkey.replace("shop", "\ud800"), "UTF-8"),
            (LOG.vkey.removeprefix(ORIGIN), "key name"),
            ("a+00000000+Ag" + "A" * 42, "Unknown kind"),
            ("a+00000000+AQ" + "A" * 41 + "=", "32 bytes"),
        ],
    )
    def test_defects_are_named(self, defect: str, reason: str) -> None:
        with pytest.raises(InvalidProof, match=reason):
            parse_vkey(defect)

    def test_a_key_signs_for_its_use_only(self) -> None:
        with pytest.raises(InvalidProof, match="for cosignatures"):
            sign_note(CHECKPOINT.text, WITNESS, WITNESS_SECRET.sign)
        with pytest.raises(InvalidProof, match="not for cosignatures"):
            cosign_note(CHECKPOINT.text, LOG, 0, LOG_SECRET.sign)


class TestVerify:
    def test_known_keys_are_told_in_order(self) -> None:
        note = parse_note(COSIGNED)
        assert verify_note(note, known(WITNESS, LOG)) == (Signed(LOG, None), Signed(WITNESS, 1679315147))

    def test_unknown_keys_are_passed_over(self) -> None:
        assert verify_note(parse_note(COSIGNED), known(LOG)) == (Signed(LOG, None),)

    @pytest.mark.parametrize("keys", [[], [STRANGER], [NoteKey(ORIGIN, ED25519, STRANGER.public)]])
    def test_no_known_key(self, keys: list[NoteKey]) -> None:
        with pytest.raises(InvalidProof, match="No known key"):
            verify_note(parse_note(COSIGNED), known(*keys))

    def test_one_wrong_signature_spoils_the_note(self) -> None:
        forged = Signature(WITNESS.name, WITNESS.id, WITNESS_LINE.value[:-1] + b"\0")
        with pytest.raises(InvalidProof, match=r"witness\.example/w1 is wrong"):
            verify_note(Note(CHECKPOINT.text, (LOG_LINE, forged)), known(LOG, WITNESS))

    def test_the_time_is_part_of_the_cosignature(self) -> None:
        later = (1679315148).to_bytes(8) + WITNESS_LINE.value[8:]
        note = Note(CHECKPOINT.text, (Signature(WITNESS.name, WITNESS.id, later),))
        with pytest.raises(InvalidProof, match="is wrong"):
            verify_note(note, known(WITNESS))

    @pytest.mark.parametrize("value", [b"x", bytes(63), bytes(65), bytes(71), b"\xff" * 72])
    def test_a_signature_of_another_length_is_wrong(self, value: bytes) -> None:
        for key in (LOG, WITNESS):
            note = Note(CHECKPOINT.text, (Signature(key.name, key.id, value),))
            with pytest.raises(InvalidProof, match=r"is wrong|out of range"):
                verify_note(note, {key: lambda message, signature: True})

    @pytest.mark.parametrize("time", [-1, MAX_NUMBER + 1])
    def test_time_has_its_range(self, time: int) -> None:
        with pytest.raises(InvalidProof, match="out of range"):
            cosign_note(CHECKPOINT.text, WITNESS, time, WITNESS_SECRET.sign)

    def test_every_flipped_bit_of_a_note_fails(self) -> None:
        keys, data = known(LOG), NOTE.encode()
        assert open_checkpoint(data, keys) == CHECKPOINT
        for bit in range(len(data) * 8):
            altered = (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))
            with pytest.raises(InvalidProof):
                open_checkpoint(altered, keys)

    def test_every_flipped_bit_of_a_cosignature_loses_it(self) -> None:
        line, keys = WITNESS_LINE.line.encode(), known(LOG, WITNESS)
        for bit in range(len(line) * 8):
            altered = (int.from_bytes(line) ^ 1 << bit).to_bytes(len(line))
            try:
                signed = verify_note(parse_note(NOTE.encode() + altered), keys)
            except InvalidProof:
                continue
            assert signed == (Signed(LOG, None),)


class TestCheckpoint:
    @given(
        st.builds(
            Checkpoint,
            lines.filter(bool),
            st.integers(0, MAX_NUMBER),
            st.binary(min_size=32, max_size=32),
            st.lists(lines.filter(bool), max_size=3).map(tuple),
        )
    )
    def test_round_trip(self, checkpoint: Checkpoint) -> None:
        assert parse_checkpoint(checkpoint.text) == checkpoint

    def test_empty_ledger(self) -> None:
        text = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
        assert Checkpoint(ORIGIN, 0, EMPTY_ROOT).text == text

    @pytest.mark.parametrize(
        ("before", "after", "reason"),
        [
            ("20852163", "020852163", "decimal"),
            ("20852163", "00", "decimal"),
            ("20852163", "+20852163", "decimal"),
            ("20852163", "-1", "decimal"),
            ("20852163", "2_0", "decimal"),
            ("20852163", "20852163 ", "decimal"),
            ("20852163", "٢", "decimal"),
            ("20852163", "1e3", "decimal"),
            ("20852163", str(2**63), "decimal"),
            ("20852163", "9" * 5000, "decimal"),
            ("20852163\n", "", "three or more lines|decimal"),
            (ORIGIN, "", "none empty"),
            ("=\n", "=\n\n", "none empty"),
            ("=\n", "=", "ended by a newline"),
            ("=\n", "=\nextension", "ended by a newline"),
            ("=\n", "\n", "base64"),
            ("=\n", "=\r\n", "control characters"),
            (CHECKPOINT.text[-5:], "\n", "base64|32 bytes"),
            (CHECKPOINT.text[-45:], b64encode(bytes(31)).decode() + "\n", "32 bytes"),
            (CHECKPOINT.text[-45:], b64encode(bytes(33)).decode() + "\n", "32 bytes"),
        ],
    )
    def test_defects_are_named(self, before: str, after: str, reason: str) -> None:
        assert CHECKPOINT.text.count(before) == 1
        with pytest.raises(InvalidProof, match=reason):
            parse_checkpoint(CHECKPOINT.text.replace(before, after))

    @pytest.mark.parametrize(
        "checkpoint",
        [
            Checkpoint("", 1, EMPTY_ROOT),
            Checkpoint("a\nb", 1, EMPTY_ROOT),
            Checkpoint(ORIGIN, -1, EMPTY_ROOT),
            Checkpoint(ORIGIN, 1, EMPTY_ROOT[:-1]),
            Checkpoint(ORIGIN, 1, EMPTY_ROOT, ("",)),
            Checkpoint(ORIGIN, 1, EMPTY_ROOT, ("a\nb",)),
        ],
    )
    def test_nothing_unreadable_is_written(self, checkpoint: Checkpoint) -> None:
        with pytest.raises(InvalidProof):
            _ = checkpoint.text

    def test_a_witness_alone_is_not_the_ledger(self) -> None:
        note = format_note(Note(CHECKPOINT.text, (WITNESS_LINE,)))
        with pytest.raises(InvalidProof, match="itself did not sign"):
            open_checkpoint(note, known(LOG, WITNESS))

    def test_a_witness_named_like_the_ledger_is_not_the_ledger(self) -> None:
        namesake = NoteKey(ORIGIN, COSIGNATURE, WITNESS.public)
        line = cosign_note(CHECKPOINT.text, namesake, 0, WITNESS_SECRET.sign)
        with pytest.raises(InvalidProof, match="itself did not sign"):
            open_checkpoint(format_note(Note(CHECKPOINT.text, (line,))), known(namesake))

    def test_another_ledger_is_not_this_one(self) -> None:
        text = Checkpoint("consent.example/ledger/rival", 1, EMPTY_ROOT).text
        note = format_note(Note(text, (sign_note(text, LOG, LOG_SECRET.sign),)))
        with pytest.raises(InvalidProof, match="itself did not sign"):
            open_checkpoint(note, known(LOG))

    def test_a_note_that_is_no_checkpoint(self) -> None:
        note = format_note(Note("hello\n", (sign_note("hello\n", LOG, LOG_SECRET.sign),)))
        with pytest.raises(InvalidProof, match="three or more lines"):
            open_checkpoint(note, known(LOG))
