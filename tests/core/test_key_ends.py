"""A key that was retired or revoked: what it signed while it was in use holds, and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from consent_server.core.context import Context
from consent_server.core.errors import InvalidProof, InvalidSettings
from consent_server.core.keys import LEEWAY, KeyRing, KeySource, new_key_set, verify_jws
from tests.support.factories import START, settings_for

TYPE = "consent-receipt+jwt"
ENDED = int(START.timestamp())


@pytest.fixture
def source(tmp_path: Path) -> KeySource:
    return KeySource(settings_for(tmp_path, "sqlite://"))


def stolen(source: KeySource) -> KeyRing:
    """The signing key as a thief copied it."""
    assert source._file is not None
    return KeyRing.from_jwks(source._file.read_text("utf-8"))


def published(source: KeySource) -> KeyRing:
    return KeyRing.from_jwks(json.dumps(source.ring.public_jwks()))


@pytest.mark.parametrize(
    ("iat", "holds"),
    [(ENDED - 86400, True), (ENDED, True), (ENDED + LEEWAY, True), (ENDED + LEEWAY + 1, False),
     (ENDED + 10**9, False), (None, False), (str(ENDED), False), (True, False), (float(ENDED), False)],
)  # fmt: skip
def test_what_a_retired_key_signs_later_does_not_hold(source: KeySource, iat: Any, holds: bool) -> None:
    thief = stolen(source)
    source.rotate(START)
    claims = {"jti": "1"} if iat is None else {"jti": "1", "iat": iat}
    token = thief.sign(claims, TYPE)
    for ring in (source.ring, published(source)):
        if holds:
            assert verify_jws(token, TYPE, ring) == claims
        else:
            with pytest.raises(InvalidProof, match="after its key was retired"):
                verify_jws(token, TYPE, ring)


def test_the_time_of_a_key_s_end_is_published_and_stays(source: KeySource) -> None:
    first = source.ring.kid
    source.rotate(START)
    source.rotate(START + timedelta(days=30))
    keys = source.ring.public_jwks()["keys"]
    assert [key.get("exp") for key in keys] == [ENDED, ENDED + 30 * 86400, None]
    assert source.revoke(first, START + timedelta(days=40)) == source.ring.kid
    source.revoke(first, START + timedelta(days=50))
    keys = source.ring.public_jwks()["keys"]
    assert [key.get("exp") for key in keys] == [ENDED, ENDED + 30 * 86400, None]
    assert [key.get("revoked") for key in keys] == [{"revoked_at": ENDED + 40 * 86400}, None, None]
    assert [key["kid"] for key in keys if source.ring.is_revoked(key["kid"])] == [first]
    source.ring.require_private()


def test_revoking_the_key_that_signs_puts_another_in_its_place(source: KeySource) -> None:
    thief, old = stolen(source), source.ring.kid
    new = source.revoke(old, START)
    assert new == source.ring.kid != old
    source.ring.require_private()
    assert [key.get("exp") for key in source.ring.public_jwks()["keys"]] == [ENDED, None]
    assert source._file is not None
    assert source._file.stat().st_mode & 0o777 == 0o600
    assert '"d"' not in json.dumps(source.ring.public_jwks())
    assert "d" not in json.loads(source._file.read_text())["keys"][0]
    # Its notes count for nothing where there is nothing but keys to go by.
    origin = "consent.example/ledger/shop"
    theirs = next(iter(thief.note_keys(origin)))
    assert theirs in source.ring.note_keys(origin)
    assert theirs not in source.ring.note_keys(origin, revoked=False)
    assert theirs in source.ring.note_keys(origin, START)
    assert theirs not in source.ring.note_keys(origin, START + timedelta(seconds=LEEWAY + 1))


def test_a_key_that_was_retired_before_there_were_times_verifies_all_until_the_next_rotation(source: KeySource) -> None:
    assert source._file is not None
    earlier = KeyRing.from_jwks(new_key_set())
    newest = json.loads(source._file.read_text())["keys"]
    source._file.write_text(json.dumps({"keys": [*earlier.public_jwks()["keys"], *newest]}))
    late = earlier.sign({"iat": ENDED + 86400}, TYPE)
    assert verify_jws(late, TYPE, KeySource(settings_for(source._file.parent, "sqlite://")).ring)
    source._stamp = -1
    source.rotate(START)
    with pytest.raises(InvalidProof):
        verify_jws(late, TYPE, source.ring)


@pytest.mark.parametrize(
    "said",
    [{"exp": "1"}, {"exp": -1}, {"exp": 1.5}, {"exp": True}, {"exp": None}, {"exp": 10**12}, {"revoked": 1},
     {"revoked": {}}, {"revoked": {"revoked_at": "x"}}, {"revoked": None}],
)  # fmt: skip
def test_ends_that_are_no_times_are_refused(said: dict[str, Any]) -> None:
    keys = json.loads(new_key_set())["keys"] + json.loads(new_key_set())["keys"]
    with pytest.raises(InvalidProof):
        KeyRing.from_jwks(json.dumps({"keys": [keys[0] | said, keys[1]]}))


@pytest.mark.parametrize("said", [{"exp": 1}, {"revoked": {"revoked_at": 1}}])
def test_a_server_does_not_sign_with_a_key_that_ended(tmp_path: Path, said: dict[str, Any]) -> None:
    (key,) = json.loads(new_key_set())["keys"]
    with pytest.raises(InvalidSettings, match="retired or revoked"):
        KeySource(settings_for(tmp_path, "sqlite://", signing_keys=json.dumps({"keys": [key | said]})))


def test_the_command(app: Flask, services: Context) -> None:
    run, kid = app.test_cli_runner().invoke, services.keys.ring.kid
    assert run(args=["key", "revoke", "unknown", "--yes"]).exit_code == 1
    assert f"{kid} would be revoked; a new key would sign" in run(args=["key", "revoke", kid, "--dry-run"]).output
    assert services.keys.ring.kid == kid
    done = run(args=["key", "revoke", kid, "--yes"])
    assert done.exit_code == 0, done.output
    assert services.keys.ring.kid != kid
    assert done.output == f"{kid} is revoked; {services.keys.ring.kid} signs\n"
    (old, new) = app.test_client().get("/.well-known/jwks.json").get_json()["keys"]
    assert (old["kid"], old["revoked"]["revoked_at"], "exp" in new) == (kid, old["exp"], False)
    assert datetime.fromtimestamp(old["exp"], UTC) == services.now().replace(microsecond=0)
