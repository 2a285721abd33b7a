"""What a stranger wrote draws nothing on a terminal and ends no line; what removes asks there."""

import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from consent_server.core.keys import KeyRing, new_key_set
from consent_server.core.terminal import confirm, plain
from consent_server.decisions.rules_receipt import RECEIPT_TYPE

DRAWING = "\x1b[1A\x1b[2K\rok: nothing was altered\n\x00\x7f\x9b2J\u202e\u2066\u2028"
SHOWN = "\\x1b[1A\\x1b[2K\\rok: nothing was altered\\n\\x00\\x7f\\x9b2J\\u202e\\u2066\\u2028"


def test_what_draws_is_written_out() -> None:
    assert plain(DRAWING) == SHOWN
    assert plain("\udc9b") == "\\udc9b"


@pytest.mark.parametrize("text", ["Zoë", "日本語", "עברית", "a\tb", "10 000", "10\u202f000", "– “x” …", "💶", ""])
def test_letters_of_all_languages_stay(text: str) -> None:
    assert plain(text) == text


def drawn(text: str) -> list[str]:
    """Lines that a stranger's text made, and characters that draw."""
    said = [line for line in text.split("\n") if line.startswith("ok: nothing")]
    return said + re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", text)


def test_a_receipt_draws_nothing(app: Flask, tmp_path: Path) -> None:
    ring = KeyRing.from_jwks(new_key_set())
    files = {
        "keys": json.dumps(ring.public_jwks()),
        "good": ring.sign({"iat": 1, "page": DRAWING, DRAWING: [DRAWING], "grants": {DRAWING: True}}, RECEIPT_TYPE),
        "foreign": KeyRing.from_jwks(new_key_set()).sign({"page": DRAWING}, RECEIPT_TYPE),
        "junk": DRAWING,
        "proof": json.dumps({"checkpoint": DRAWING, "leaf_index": 0, "tree_size": 1, "hashes": [], "salt": "00" * 32}),
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
    for receipt, code in (("good", 0), ("foreign", 1), ("junk", 1)):
        for more in ([], ["--proof", str(tmp_path / "proof")], ["--proof", str(tmp_path / "junk")]):
            arguments = [str(tmp_path / receipt), "--jwks", str(tmp_path / "keys"), *more]
            done = app.test_cli_runner().invoke(args=["receipt", "verify", *arguments])
            assert done.exit_code == (code if not more else 1), done.output
            assert drawn(done.output) == []


@pytest.mark.usefixtures("notice")
def test_a_kept_checkpoint_draws_nothing(app: Flask, tmp_path: Path) -> None:
    name = DRAWING.replace("\x00", "")
    for text in (DRAWING, '{"note": 1}', json.dumps({"note": DRAWING})):
        kept = tmp_path / name
        kept.write_bytes(text.encode())
        done = app.test_cli_runner().invoke(args=["ledger", "check", "shop", "--checkpoint", str(kept)])
        assert done.exit_code == 1
        assert drawn(done.output) == []


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal as standard input; what is written there is typed."""
    typed, read = os.openpty()
    with os.fdopen(read, encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield typed
    os.close(typed)


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_terminal_is_asked(terminal: int, scheduled: bool) -> None:
    os.write(terminal, b"y\nn\n")
    confirm("Remove all?", yes=False, scheduled=scheduled)
    with pytest.raises(click.Abort):
        confirm("Remove all?", yes=False, scheduled=scheduled)
    confirm("Remove all?", yes=True, scheduled=scheduled)


def test_without_a_terminal_only_schedules_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    confirm("Remove all?", yes=False, scheduled=True)
    with pytest.raises(SystemExit):
        confirm("Remove all?", yes=False)
