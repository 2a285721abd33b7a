"""Who stole the signing key: what they sign holds nowhere once it is revoked, and what was on record still does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.core.keys import KeyRing
from consent_server.core.notes import ED25519, Checkpoint, Note, NoteKey, format_note, sign_note
from consent_server.decisions.rules_contents import commitment
from consent_server.decisions.rules_receipt import RECEIPT_TYPE
from consent_server.ledger.rules import leaf_hash
from consent_server.ledger.seal import seal_ledger
from tests.support import jose
from tests.support.factories import Body, Clock
from tests.support.visitor import post

ORIGIN = "consent.example/ledger/shop"
Verify = Callable[..., Result]


@pytest.fixture
def thief(services: Context) -> KeyRing:
    """The signing key as it was copied before anybody noticed."""
    return KeyRing.from_jwks(services.settings.signing_keys_file.read_text("utf-8"))


@pytest.fixture
def verify(app: Flask, client: FlaskClient, tmp_path: Path) -> Verify:
    """`consent receipt verify` with the published keys, and a proof where there is one."""

    def run(receipt: str, proof: Any = None) -> Result:
        files = {"keys": client.get("/.well-known/jwks.json").text, "receipt": receipt, "proof": json.dumps(proof)}
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        given = ["--proof", str(tmp_path / "proof")] if proof else []
        arguments = ["receipt", "verify", str(tmp_path / "receipt"), "--jwks", str(tmp_path / "keys"), *given]
        return app.test_cli_runner().invoke(args=arguments)

    return run


def proof_of(client: FlaskClient, said: dict[str, Any]) -> Any:
    answer = client.get(f"{urlsplit(said['receipt_url']).path}/proof")
    assert answer.status_code == 200
    return answer.get_json()


def checked(client: FlaskClient, receipt: str) -> dict[str, bool]:
    answer = client.post("/v1/receipts/verify", json={"receipt": receipt}).get_json()
    assert answer["valid"] is all(check["ok"] for check in answer["checks"])
    return {check["name"]: check["ok"] for check in answer["checks"]}


def forged_proof(thief: KeyRing, receipt: str) -> dict[str, Any]:
    """A ledger of this receipt alone, which the thief signs."""
    salt = bytes(32)
    text = Checkpoint(ORIGIN, 1, leaf_hash(commitment(salt, receipt))).text
    signature = sign_note(text, NoteKey(ORIGIN, ED25519, thief.public_bytes()), thief.sign_bytes)
    note = format_note(Note(text, (signature,)))
    return {"leaf_index": 0, "tree_size": 1, "hashes": [], "checkpoint": note, "salt": salt.hex()}


HOLDS = dict.fromkeys(("signature", "key", "record", "inclusion"), True)


@pytest.mark.on_both_databases
def test_what_was_on_record_holds_with_its_proof_and_nothing_else_does(
    app: Flask, client: FlaskClient, body: Body, services: Context, thief: KeyRing, verify: Verify, clock: Clock
) -> None:
    said = post(client, body()).get_json()
    assert app.test_cli_runner().invoke(args=["ledger", "seal"]).exit_code == 0
    clock.advance(days=1)
    services.keys.revoke(thief.kid, services.now())
    # Dated well before anybody knew.
    forged = thief.sign(jose.claims(said["receipt"]) | {"grants": {"analytics": False}}, RECEIPT_TYPE)
    assert checked(client, said["receipt"]) == HOLDS
    assert checked(client, forged) == {"signature": True, "key": False, "record": False, "inclusion": False}
    alone = verify(said["receipt"])
    assert (alone.exit_code, "FAIL key" in alone.output, "holds only with its proof" in alone.output) == (1, True, True)
    assert verify(forged).exit_code == 1
    # The proof is of a checkpoint that the new key has signed too, though nothing was decided since.
    proof = proof_of(client, said)
    assert proof["checkpoint"].count("\n— ") == 2
    held = verify(said["receipt"], proof)
    assert held.exit_code == 0, held.output
    assert "ok   inclusion" in held.output
    assert verify(forged, proof).exit_code == 1
    assert verify(forged, forged_proof(thief, forged)).exit_code == 1
    assert app.test_cli_runner().invoke(args=["ledger", "check", "shop"]).exit_code == 0
    # What is decided later is signed by the new key, and sealed behind what the old one sealed.
    later = post(client, body()).get_json()
    assert verify(later["receipt"]).exit_code == 0
    assert checked(client, later["receipt"]) == HOLDS
    assert verify(said["receipt"], proof_of(client, said)).exit_code == 0


def test_a_receipt_dated_after_the_rotation_does_not_hold(
    client: FlaskClient, body: Body, services: Context, thief: KeyRing, verify: Verify, clock: Clock
) -> None:
    said = post(client, body()).get_json()
    services.keys.rotate(services.now())
    clock.advance(hours=1)
    late = thief.sign(jose.claims(said["receipt"]) | {"iat": int(clock().timestamp())}, RECEIPT_TYPE)
    assert checked(client, said["receipt"]) == HOLDS
    assert verify(said["receipt"]).exit_code == 0
    assert checked(client, late)["signature"] is False
    assert verify(late).exit_code == 1


def test_a_checkpoint_dated_after_the_rotation_does_not_hold(
    app: Flask, client: FlaskClient, body: Body, services: Context, thief: KeyRing, clock: Clock
) -> None:
    post(client, body())
    services.keys.rotate(services.now())
    clock.advance(hours=1)
    # Sealed by the old key all the same: a process of the thief, at the same database.
    seal_ledger(services.database, thief, clock)
    done = app.test_cli_runner().invoke(args=["ledger", "check", "shop"])
    assert done.exit_code == 1
    assert "checkpoint 1" in done.output


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"leaf_index": 0}', '{"hashes": 1}', "\udc80"])
def test_what_is_no_proof_is_said_to_be_none(
    client: FlaskClient, body: Body, verify: Verify, tmp_path: Path, app: Flask, text: str
) -> None:
    receipt = post(client, body()).get_json()["receipt"]
    assert verify(receipt).exit_code == 0
    (tmp_path / "proof").write_text(text, errors="surrogateescape")
    arguments = [str(tmp_path / "receipt"), "--proof", str(tmp_path / "proof")]
    done = app.test_cli_runner().invoke(args=["receipt", "verify", *arguments])
    assert (done.exit_code, done.exception) == (1, done.exception if isinstance(done.exception, SystemExit) else None)
