"""Checkpoints are cosigned by a witness outside, and a ledger that was rewritten finds nobody who signs for it."""

from base64 import b64encode
from collections.abc import Callable
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from consent_server.core.context import Context
from consent_server.ledger.witness import witness_ledger
from tests.support.factories import Clock
from tests.support.witness import Reply, Witness
from tests.support.witnessed_ledger import ORIGIN, Ledger, as_set


@pytest.mark.on_both_databases
def test_a_checkpoint_is_cosigned_kept_and_served(ledger: Ledger, witness: Witness) -> None:
    alone = ledger.note()
    assert not witness.holds(alone)
    assert [(done.ok, done.size, done.detail) for done in ledger.ask(witness)] == [(True, 3, "cosigned")]
    assert witness.asked == [f"old 0\n\n{alone}"]
    assert witness.answered == [200]
    assert ledger.note().startswith(alone), "the ledger's own signature stands first"
    assert witness.holds(ledger.note())
    (kept,) = ledger.kept()
    assert kept.cosigned_at == ledger.clock().replace(microsecond=0)
    assert alone + kept.line == ledger.note()


def test_the_next_one_is_proved_from_the_last(ledger: Ledger, witness: Witness) -> None:
    ledger.ask(witness)
    ledger.grow(4)
    assert not witness.holds(ledger.note()), "a cosignature is of one checkpoint and no other"
    assert [done.detail for done in ledger.ask(witness)] == ["cosigned"]
    assert witness.asked[-1].startswith("old 3\n")
    assert witness.answered == [200, 200]
    assert witness.holds(ledger.note())
    assert [row.size for row in ledger.kept()] == [3, 7]


@pytest.mark.on_both_databases
def test_what_is_cosigned_is_not_asked_again(ledger: Ledger, witness: Witness) -> None:
    ledger.ask(witness)
    assert [(done.ok, done.detail) for done in ledger.ask(witness)] == [(True, "cosigned before")]
    assert len(witness.asked) == 1


def test_an_answer_that_was_lost_is_caught_up_with(ledger: Ledger, witness: Witness) -> None:
    witness.loses_answers = True
    assert [done.ok for done in ledger.ask(witness)] == [False]
    assert ledger.kept() == []
    witness.loses_answers = False
    ledger.grow(2)
    assert [done.detail for done in ledger.ask(witness)] == ["cosigned"]
    assert witness.answered == [200, 409, 200]
    assert [asked.split("\n")[0] for asked in witness.asked] == ["old 0", "old 0", "old 3"]
    assert witness.holds(ledger.note())


@pytest.mark.on_both_databases
def test_no_transaction_is_open_while_a_witness_thinks(ledger: Ledger, witness: Witness) -> None:
    held: list[int] = []

    def look() -> None:
        pool = ledger.services.database.engine.pool
        held.append(pool.checkedout())  # type: ignore[attr-defined]

    witness.meanwhile = look
    ledger.ask(witness)
    assert held == [0]


@pytest.mark.on_both_databases
def test_another_worker_that_is_faster_is_no_alarm(ledger: Ledger, witness: Witness) -> None:
    turns = count()

    def be_faster() -> None:
        if next(turns) == 0:
            ledger.grow(2)
            assert [done.detail for done in ledger.ask(witness)] == ["cosigned"]

    witness.meanwhile = be_faster
    assert [(done.ok, done.size) for done in ledger.ask(witness)] == [(True, 5)]
    assert sorted(witness.answered) == [200, 200, 409]
    assert [row.size for row in ledger.kept()] == [5]


def test_one_that_is_away_delays_nobody_else(ledger: Ledger, witness: Witness, clock: Clock) -> None:
    with Witness(clock, "witness.example/away") as away:
        pass
    ledger.grow(1, "rival")
    found = ledger.ask(away, witness)
    assert [(done.witness, done.ok) for done in found] == [
        (away.name, False),
        (witness.name, False),
        (witness.name, True),
    ]
    assert "cannot be reached" in found[0].detail
    assert "answered 404" in found[1].detail, "nobody told the witness of the rival's ledger"
    assert witness.holds(ledger.note())


def test_a_ledger_without_a_checkpoint_is_not_offered(app: Flask, services: Context, witness: Witness) -> None:
    assert list(witness_ledger(services.database, [as_set(witness)], services.now)) == []
    assert witness.asked == []


# --- What does not count ---


def forged(reply: Reply, witness: Witness) -> Reply:
    stranger = Witness(witness.clock, witness.name, signer=Ed25519PrivateKey.generate())
    stranger.key_id = witness.key_id
    return 200, "text/plain", stranger.cosignature("another text\n").encode()


def of_another_text(reply: Reply, witness: Witness) -> Reply:
    return 200, "text/plain", witness.cosignature(f"{ORIGIN}\n4\n{b64encode(bytes(32)).decode()}\n").encode()


def of_a_stranger(reply: Reply, witness: Witness) -> Reply:
    body = witness.asked[-1].partition("\n\n")[2].rpartition("\n\n")[0] + "\n"
    return 200, "text/plain", Witness(witness.clock, witness.name).cosignature(body).encode()


def dated(seconds: int) -> Callable[[Reply, Witness], Reply]:
    def twist(reply: Reply, witness: Witness) -> Reply:
        body = witness.asked[-1].partition("\n\n")[2].rpartition("\n\n")[0] + "\n"
        time = int(witness.clock().timestamp()) + seconds
        return 200, "text/plain", witness.cosignature(body, time).encode()

    return twist


@pytest.mark.parametrize(
    ("twist", "says"),
    [
        (forged, "is wrong"),
        (of_another_text, "is wrong"),
        (of_a_stranger, "without a signature line by the key"),
        (dated(1000), "is dated"),
        (dated(-1000), "is dated"),
        (lambda reply, witness: (200, "text/plain", b""), "newline"),
        (lambda reply, witness: (200, "text/plain", b"\xff\n"), "UTF-8"),
        (lambda reply, witness: (200, "text/plain", reply[2][:-1]), "newline"),
        (lambda reply, witness: (200, "text/plain", reply[2] * 2000), "longer than"),
        (lambda reply, witness: (302, "text/plain", b""), "answered 302"),
        (lambda reply, witness: (500, "text/plain", b""), "answered 500"),
        (lambda reply, witness: (409, "text/plain", b"3\n"), "answered 409"),
        (lambda reply, witness: (409, "text/x.tlog.size", b"03\n"), "answered 409"),
        (lambda reply, witness: (409, "text/x.tlog.size", b"0\n"), "answered 409"),
    ],
)
def test_a_wrong_answer_is_refused_and_not_stored(
    ledger: Ledger, witness: Witness, twist: Callable[[Reply, Witness], Reply], says: str
) -> None:
    witness.twist = lambda reply: twist(reply, witness)
    (done,) = ledger.ask(witness)
    assert (done.ok, done.forked) == (False, False)
    assert says in done.detail
    assert ledger.kept() == []
    witness.twist = lambda reply: reply
    assert [one.ok for one in ledger.ask(witness)] == [True], "the next turn asks again"


def test_lines_of_keys_that_nobody_named_are_left_out(ledger: Ledger, witness: Witness) -> None:
    stranger = Witness(witness.clock, "stranger.example/w2")
    line = stranger.cosignature("whatever\n").encode()
    witness.twist = lambda reply: (reply[0], reply[1], line + reply[2])
    assert [done.ok for done in ledger.ask(witness)] == [True]
    assert [row.witness for row in ledger.kept()] == [witness.name]
    assert stranger.name not in ledger.note()


def test_a_witness_that_does_not_know_the_key_says_so(ledger: Ledger, witness: Witness) -> None:
    witness.logs[ORIGIN] = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    (done,) = ledger.ask(witness)
    assert (done.ok, done.forked) == (False, False)
    assert "does not know the key" in done.detail


# --- The operator rewrites the ledger ---


def test_another_root_of_the_same_size_is_an_alarm(ledger: Ledger, witness: Witness) -> None:
    ledger.ask(witness)
    ledger.rewrite(without=1)
    ledger.grow(1)
    (done,) = ledger.ask(witness)
    assert (done.ok, done.forked, done.size) == (False, True, 3)
    assert "another root of 3 leaves: the ledger was rewritten" in done.detail
    assert not witness.holds(ledger.note())
    assert ledger.kept() == []


def test_a_ledger_that_was_cut_is_an_alarm(ledger: Ledger, witness: Witness) -> None:
    ledger.ask(witness)
    ledger.rewrite(without=1)
    (done,) = ledger.ask(witness)
    assert (done.ok, done.forked, done.size) == (False, True, 2)
    assert "cosigned 3 leaves, the ledger has 2" in done.detail


def test_a_longer_ledger_that_does_not_continue_is_an_alarm(ledger: Ledger, witness: Witness) -> None:
    ledger.ask(witness)
    ledger.rewrite(without=1)
    ledger.grow(4)
    (done,) = ledger.ask(witness)
    assert (done.ok, done.forked, done.size) == (False, True, 6)
    assert "does not continue the 3 leaves" in done.detail
    assert witness.answered[-1] == 422
    assert witness.state[ORIGIN][0] == 3


@pytest.mark.on_both_databases
def test_the_database_keeps_what_was_cosigned(ledger: Ledger, witness: Witness) -> None:
    ledger.ask(witness)
    for statement in ("UPDATE cosignatures SET line = 'x'", "DELETE FROM cosignatures"):
        with (
            pytest.raises(DBAPIError, match="are kept as they are"),
            ledger.services.database.transaction() as session,
        ):
            session.execute(text(statement))
