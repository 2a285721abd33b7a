"""An honest ledger with a clock fault holds again once it says so; a record that somebody moved is still found."""

import contextlib
from collections.abc import Iterator

import pytest

from consent_server.core.errors import InvalidProof
from consent_server.core.seal_guard import ClockWatch
from consent_server.ledger import may_seal
from consent_server.ledger.correct_clock import correct_clock
from consent_server.ledger.remark import Remarker
from tests.support.factories import PUBLIC_URL, Clock
from tests.support.ledger_attacks import Attacker
from tests.support.ledger_shop import Shop
from tests.support.sealed import continues


def correct(shop: Shop, dry_run: bool = False) -> list[tuple[int, int]]:
    our = shop.services
    return correct_clock(our.database, Remarker(our.keys.ring, PUBLIC_URL, our.random), shop.clock, "shop", dry_run)


def seal_as_before(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a server did that knew nothing of clocks: a checkpoint was never dated before the one before it."""
    with monkeypatch.context() as patch:
        patch.setattr(
            may_seal, "time_by_clock", lambda s, r, ledger, newest, now: max(now, newest.sealed_at) if newest else now
        )
        shop.seal()


@pytest.mark.on_both_databases
@pytest.mark.parametrize("hours", [-1, 24])
@pytest.mark.parametrize("waited", [False, True])
def test_a_ledger_with_an_old_fault_is_healed(
    shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch, hours: int, waited: bool
) -> None:
    for _ in range(2):
        shop.decide()
    seal_as_before(shop, monkeypatch)
    clock.advance(hours=hours)
    for _ in range(3):
        shop.decide()
        seal_as_before(shop, monkeypatch)
    clock.advance(hours=-hours)
    for _ in range(2):
        shop.decide()
        seal_as_before(shop, monkeypatch)
    clock.advance(hours=30 if waited else 0.01)
    shop.decide()
    seal_as_before(shop, monkeypatch)
    seen = shop.checkpoints()
    assert shop.check(*seen).faults
    assert correct(shop, dry_run=True)
    assert shop.checkpoints() == seen
    named = correct(shop)
    for _ in range(2):
        clock.advance(hours=5)
        shop.decide()
        shop.seal()
    report = shop.check(*seen, *shop.checkpoints())
    assert report.faults == []
    count = sum(last - first + 1 for first, last in named)
    leaf = 13 - 1
    assert (
        report.counts[f"leaves dated by a wrong clock, says a signed entry (leaf {leaf}: The server's clock was wrong)"]
        == count
    )
    continues(shop, *seen)
    assert correct(shop) == []
    outcome = shop.verify(*seen)
    assert (outcome.code, outcome.fails) == (0, [])
    assert f"leaf {leaf}, clock-corrected, {count} leaves: The server's clock was wrong" in outcome.text


def test_what_was_recorded_by_a_wrong_clock_while_nothing_was_sealed(shop: Shop, clock: Clock) -> None:
    clock.advance(hours=-3)
    shop.decide()
    with contextlib.suppress(InvalidProof):
        shop.seal()
    clock.advance(hours=3)
    shop.decide()
    shop.seal()
    assert [fault.partition(":")[0] for fault in shop.check().faults] == ["leaf 4"]
    assert correct(shop) == [(4, 4)]
    assert shop.check().faults == []


@pytest.fixture
def attacker(shop: Shop, database_url: str) -> Iterator[Attacker]:
    made = Attacker.on(database_url)
    yield made
    made.leave()


def test_a_record_that_somebody_moved_is_found_beside_a_corrected_clock(
    shop: Shop, clock: Clock, attacker: Attacker
) -> None:
    clock.advance(hours=-3)
    shop.decide()
    clock.advance(hours=3)
    shop.decide()
    shop.seal()
    correct(shop)
    assert shop.check().faults == []
    # One that came in later, as somebody would have put it there who held it back: no entry names that.
    clock.advance(hours=2)
    shop.decide()
    shop.seal()
    clock.advance(hours=-2)
    shop.decide()
    clock.advance(hours=2)
    shop.seal()
    (fault,) = shop.check().faults
    assert fault.startswith("leaf 8: it is dated 2026-11-23 17:00:0")
    assert "back-dated" in fault
    assert shop.verify().names("times", "records.jsonl leaf 8", "back-dated")
    # And what no clock did is not excused by any.
    attacker.sql("UPDATE decisions SET recorded_at = recorded_at - 7200000 WHERE id = :row", row=attacker.row(7))
    with pytest.raises(InvalidProof, match=r"leaf 7: .*No clock did that"):
        correct(shop)


def test_a_clock_that_jumps_stops_sealing_until_it_is_right(shop: Shop) -> None:
    wall = [0.0]
    shop.services.keys.guard.clock = ClockWatch(lambda: wall[0], lambda: 0.0)
    wall[0] = 86_400
    shop.decide()
    with pytest.raises(InvalidProof, match=r"The clock was set by \+86400 s while the server ran"):
        shop.seal()
    wall[0] = 2
    shop.seal()
    assert shop.check().counts["leaves"] == 5


def test_two_at_once_name_nothing_twice(shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.advance(hours=24)
    shop.decide()
    seal_as_before(shop, monkeypatch)
    clock.advance(hours=-24)
    shop.decide()
    seal_as_before(shop, monkeypatch)
    clock.advance(hours=30)
    with monkeypatch.context() as patch:
        # The first has written its entry and has not sealed it when the second has looked at the same leaves.
        patch.setattr("consent_server.ledger.correct_clock.seal_ledger", lambda *_: None)
        assert correct(shop)
        assert correct(shop) == []
    shop.seal()
    assert shop.check().faults == []
    assert len([words for words in shop.check().counts if "clock" in words]) == 1
