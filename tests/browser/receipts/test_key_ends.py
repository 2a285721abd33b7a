"""The pages that check know when a key ended: what it signed later holds nowhere, what a stolen one signed by proof."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from consent_server.core.notes import ED25519, Note, NoteKey, format_note, parse_note, sign_note
from tests.support import jose
from tests.support.evidence_ledger import EvidenceLedger, new_ring
from tests.support.factories import START

from .checks import outcomes, verdict
from .conftest import Held

ANOTHER = new_ring()
ENDED = int(START.timestamp())


@pytest.fixture
def checker(quiet: Page, held: Held) -> Page:
    quiet.goto(f"{held.server.url}/verify")
    expect(quiet.locator("body[data-ready]")).to_be_attached()
    return quiet


@pytest.fixture
def check(checker: Page, held: Held) -> Callable[..., dict[str, str]]:
    """How each step of the receipt goes where its key says this of itself."""
    (key,) = json.loads(held.server.get("/.well-known/jwks.json")[1])["keys"]

    def run(outcome: str, said: dict[str, Any], proof: Any = None) -> dict[str, str]:
        jwks = {"keys": [key | said, *ANOTHER.public_jwks()["keys"]]}
        texts = [held.jws, json.dumps(jwks), *([json.dumps(proof)] if proof else [])]
        files: list[FilePayload] = [{"name": "x", "mimeType": "", "buffer": text.encode()} for text in texts]
        checker.set_input_files("input[type=file]", files)
        verdict(checker, outcome)
        return outcomes(checker, '[data-of="receipt"]')

    return run


def test_a_receipt_is_held_to_the_end_of_its_key(held: Held, check: Callable[..., dict[str, str]]) -> None:
    iat = jose.claims(held.jws)["iat"]
    proof = held.proof()
    assert set(check("ok", {"exp": iat}, proof).values()) == {"ok"}
    assert check("fail", {"exp": iat - 61}, proof)["signature"] == "fail"
    assert check("wait", {"exp": iat - 60})["signature"] == "ok"


def test_a_receipt_of_a_stolen_key_holds_by_a_checkpoint_of_another(
    held: Held, check: Callable[..., dict[str, str]]
) -> None:
    said = {"revoked": {"revoked_at": 1}}
    proof = held.proof()
    alone = check("fail", said)
    assert (alone["key"], alone["signature"]) == ("fail", "ok")
    # Whoever has the key can sign checkpoints as well.
    theirs = check("fail", said, proof)
    assert (theirs["key"], theirs["checkpoint"]) == ("fail", "fail")
    note = parse_note(proof["checkpoint"])
    name = NoteKey(note.text.split("\n")[0], ED25519, ANOTHER.public_bytes())
    anew = format_note(Note(note.text, (*note.signatures, sign_note(note.text, name, ANOTHER.sign_bytes))))
    assert set(check("ok", said, proof | {"checkpoint": anew}).values()) == {"ok"}


@pytest.mark.parametrize(
    ("said", "failed"),
    [
        ({"exp": ENDED + 10**6}, set()),
        ({"exp": ENDED - 10**6}, {"manifest", "checkpoints"}),
        ({"revoked": {"revoked_at": 1}}, {"manifest"}),
        ({"exp": "soon"}, {"keys"}),
    ],
)
def test_a_pack_is_held_to_the_ends_of_its_keys(
    checker: Page, tmp_path: Path, said: dict[str, Any], failed: set[str]
) -> None:
    ledger = EvidenceLedger.of(5)
    ledger.jwks = {"keys": [key | said for key in ledger.ring.public_jwks()["keys"]]}
    checker.set_input_files("input[type=file]", ledger.write(tmp_path / "pack.zip"))
    # It is another server's at best.
    verdict(checker, "fail")
    steps = outcomes(checker, '[data-of="pack"]')
    assert {name for name, outcome in steps.items() if outcome == "fail"} - {"key"} == failed
