"""Witnesses in the settings, and the bytes that go to them (C2SP tlog-policy, tlog-witness)."""

from base64 import b64encode
from pathlib import Path

import pytest

from consent_server.core.errors import InvalidSettings
from consent_server.core.notes import COSIGNATURE, ED25519, NoteKey
from consent_server.core.settings import Settings
from consent_server.core.witnesses import MAX_WITNESSES, Witness, parse_witnesses
from consent_server.ledger.rules_witness import known_size, request_body

KEY = NoteKey("witness.example/w1", COSIGNATURE, bytes(range(32)))
OTHER = NoteKey("witness.example/w2", COSIGNATURE, bytes(range(1, 33)))
LEDGERS = NoteKey("witness.example/w3", ED25519, bytes(32))
URL = "https://witness.example/submit"
LINE = f"witness one {KEY.vkey} {URL}"


def faults(text: str) -> list[str]:
    _, found = parse_witnesses(text)
    return [f"{fault.pointer}: {fault.detail}" for fault in found]


def test_lines_are_read_as_tlog_policy_has_them() -> None:
    text = f"# who looks on\n\n \t\n  # more\n{LINE}\n\twitness\t zwei  {OTHER.vkey} http://127.0.0.1:8001/ \n"
    assert parse_witnesses(text) == (
        (Witness("one", KEY, URL), Witness("zwei", OTHER, "http://127.0.0.1:8001")),
        (),
    )
    assert parse_witnesses("") == ((), ())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("witness", "must read: witness NAME VKEY URL"),
        (f"witness one {KEY.vkey}", "must read: witness NAME VKEY URL"),
        (f"{LINE} more", "must read: witness NAME VKEY URL"),
        (f"log {KEY.vkey}", "must read: witness NAME VKEY URL"),
        ("quorum one", "must read: witness NAME VKEY URL"),
        (f"witness none {KEY.vkey} {URL}", '"none" cannot be a name'),
        (f"witness one {LEDGERS.vkey} {URL}", "not one for cosignatures"),
        (f"witness one {KEY.vkey[:-1]} {URL}", "not canonical base64"),
        (f"witness one {KEY.vkey.replace('/w1', '/w9')} {URL}", "does not match its name and key"),
        (f"witness one vkey {URL}", "base64"),
        (
            f"witness one w+00000000+{b64encode(bytes([6]) + bytes(32)).decode()} {URL}",
            "Unknown kind of note key: 0x06",
        ),
        (f"witness one {KEY.vkey} ftp://witness.example", "http:// or https://"),
        (f"witness one {KEY.vkey} witness.example", "http:// or https://"),
        (f"witness one {KEY.vkey} https://", "names no host"),
        (f"witness one {KEY.vkey} {URL}?key=1", "a query"),
        (f"witness one {KEY.vkey} {URL}#here", "a fragment"),
        (f"witness one {KEY.vkey} https://me:secret@witness.example", "a user or a password"),
        (f"witness one {KEY.vkey} https://witness.example:http", "no valid port"),
        (f"{LINE}\r", "control character"),
    ],
)
def test_a_wrong_line_is_named(line: str, says: str) -> None:
    (fault,) = faults(f"# first\n{line}")
    assert fault.startswith("line 2: ")
    assert says in fault


def test_one_holder_counts_once() -> None:
    assert faults(f"{LINE}\nwitness one {OTHER.vkey} {URL}") == ["line 2: the name one appears twice"]
    same = NoteKey("another.example", COSIGNATURE, KEY.public)
    assert faults(f"{LINE}\n\nwitness two {same.vkey} {URL}") == ["line 3: the key appears twice"]
    many = (NoteKey(f"w{number}", COSIGNATURE, bytes([number]) * 32) for number in range(MAX_WITNESSES + 1))
    assert len(faults("\n".join(f"witness {key.name} {key.vkey} {URL}" for key in many))) == 1


def test_every_wrong_line_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "witnesses"
    file.write_text(f"{LINE}\nwitness two\nquorum one\n")
    environ = {"CONSENT_INSTANCE": str(tmp_path), "CONSENT_WITNESSES_FILE": str(file)}
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_env(environ | {"CONSENT_WITNESS_SECONDS": "0"})
    assert [fault.pointer for fault in refused.value.faults] == [
        "CONSENT_WITNESSES_FILE line 2", "CONSENT_WITNESSES_FILE line 3", "CONSENT_WITNESS_SECONDS",
    ]  # fmt: skip
    with pytest.raises(InvalidSettings, match="CONSENT_WITNESSES line 1"):
        Settings.from_env({"CONSENT_INSTANCE": str(tmp_path), "CONSENT_WITNESSES": "witness"})
    file.write_bytes(b"\xff")
    with pytest.raises(InvalidSettings, match="CONSENT_WITNESSES_FILE: is not UTF-8"):
        Settings.from_env(environ)
    file.unlink()
    with pytest.raises(InvalidSettings, match="CONSENT_WITNESSES_FILE: cannot be read"):
        Settings.from_env(environ)


def test_the_file_counts_before_the_variable(tmp_path: Path) -> None:
    environ = {"CONSENT_INSTANCE": str(tmp_path), "CONSENT_WITNESSES": LINE}
    settings = Settings.from_env(environ)
    assert [one.name for one in settings.witnesses] == ["one"]
    assert settings.witness_seconds == 60
    (tmp_path / "witnesses").write_text(f"witness two {OTHER.vkey} {URL}\n")
    environ["CONSENT_WITNESSES_FILE"] = str(tmp_path / "witnesses")
    assert [one.name for one in Settings.from_env(environ).witnesses] == ["two"]


def test_a_request_is_written_as_the_specification_writes_it() -> None:
    # The example of c2sp.org/tlog-witness has this form: old size, one hash a line, an empty line, the checkpoint.
    note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u2014 a b\n"
    body = request_body(20852014, [bytes(32), b"\xff" * 32], note).decode()
    hashes = f"{'A' * 43}=\n//////////////////////////////////////////8=\n"
    assert body == f"old 20852014\n{hashes}\n{note}"
    assert request_body(0, [], note).decode() == f"old 0\n\n{note}"


@pytest.mark.parametrize(
    ("content_type", "body", "size"),
    [
        ("text/x.tlog.size", b"12\n", 12), ("text/x.tlog.size", b"0\n", 0), ("text/plain", b"12\n", None),
        ("text/x.tlog.size", b"12", None), ("text/x.tlog.size", b"012\n", None), ("text/x.tlog.size", b"-1\n", None),
        ("text/x.tlog.size", b"12\n\n", None), ("text/x.tlog.size", b"\xd9\xa1\n", None),
        ("text/x.tlog.size", b"", None), ("text/x.tlog.size", b"9" * 30 + b"\n", None),
    ],
)  # fmt: skip
def test_the_size_of_a_conflict(content_type: str, body: bytes, size: int | None) -> None:
    assert known_size(content_type, body) == size
