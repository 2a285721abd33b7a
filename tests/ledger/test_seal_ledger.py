"""Sealing goes on after any crash, beside others and against the clock; it never signs over a change."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consent_server.core.errors import InvalidProof
from consent_server.ledger import seal as sealing
from consent_server.ledger.rules_removal import Rule
from consent_server.receipts.remove_records import Remover
from tests.support import sealing_worker as worker
from tests.support.factories import PUBLIC_URL, Clock
from tests.support.ledger_attacks import Attack, Attacker
from tests.support.ledger_shop import Shop
from tests.support.sealed import continues, holds_all, records

pytestmark = pytest.mark.on_both_databases


@pytest.fixture
def attacker(shop: Shop, database_url: str) -> Iterator[Attacker]:
    """Somebody with write access, past the product and its triggers."""
    found = Attacker.on(database_url)
    yield found
    found.leave()


@pytest.mark.parametrize("step", worker.STEPS)
def test_a_sealer_may_die_after_any_step(
    shop: Shop, clock: Clock, database_url: str, tmp_path: Path, step: str
) -> None:
    seen = shop.checkpoints()
    for _ in range(7):
        shop.decide()
    reached, told = worker.PROCESSES.Pipe(duplex=False)
    dying = worker.start(worker.seal_and_stop, database_url, tmp_path, clock, step, told)
    try:
        assert reached.poll(20), "The process ended before it came so far."
        assert reached.recv() == step
    finally:
        dying.kill()
        dying.join()
    between = shop.checkpoints()
    assert between[: len(seen)] == seen
    shop.decide()
    shop.seal()
    holds_all(shop, *between)


def test_two_sealers_while_a_third_process_records(shop: Shop, clock: Clock, database_url: str, tmp_path: Path) -> None:
    seen = shop.checkpoints()
    over = worker.PROCESSES.Event()
    ready, told = worker.PROCESSES.Pipe(duplex=False)
    sealers = [worker.start(worker.seal_until, database_url, tmp_path, clock, told, over) for _ in range(2)]
    try:
        for _ in sealers:
            assert ready.poll(20)
            ready.recv()
        recorder = worker.start(worker.record, database_url, tmp_path, clock, 300)
        recorder.join(60)
        over.set()
        for sealer in sealers:
            sealer.join(60)
        assert [process.exitcode for process in (recorder, *sealers)] == [0, 0, 0]
    finally:
        for sealer in sealers:
            sealer.kill()
            sealer.join()
    assert records(shop) == 304
    assert len(shop.checkpoints()) > 2
    holds_all(shop, *seen, *shop.checkpoints())


def test_clocks_of_two_machines_may_differ_a_little(shop: Shop, clock: Clock) -> None:
    seen = shop.checkpoints()
    clock.advance(seconds=-50)
    shop.decide()
    shop.seal()
    clock.advance(seconds=90)
    shop.decide()
    shop.seal()
    times = [row.sealed_at for row in shop.sealed()]
    assert times == sorted(times)
    assert len(times) == 3
    holds_all(shop, *seen)


def test_nothing_is_sealed_by_a_clock_that_was_put_back_and_nothing_is_lost(shop: Shop, clock: Clock) -> None:
    seen = shop.checkpoints()
    clock.advance(hours=-1)
    late = shop.decide()
    with pytest.raises(InvalidProof, match="consent ledger correct-clock shop"):
        shop.seal()
    assert shop.checkpoints() == seen
    clock.advance(hours=2)
    shop.decide()
    shop.seal()
    (fault,) = shop.check(*seen).faults
    assert fault.startswith("leaf 4: it is dated 2026-11-23 16:00:05 UTC, long before the checkpoint")
    assert str(late.receipt_id) in fault
    assert records(shop) == shop.check().counts["leaves"] == 6
    continues(shop, *seen)


def test_a_batch_is_bounded_removals_included(shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(10):
        shop.decide()
    shop.seal()
    our = shop.services
    remover = Remover(our.keys.ring, PUBLIC_URL, our.random)
    with our.database.transaction() as session:
        for leaf in range(7):
            assert remover.remove(session, shop.site, Rule.ERASURE, "Request", [leaf], clock()) == 1
    for _ in range(5):
        shop.decide()
    monkeypatch.setattr(sealing, "BATCH", 3)
    shop.seal()
    assert [row.size for row in shop.sealed()] == [4, 14, 17, 20, 23, 26]
    report = shop.check()
    assert (report.faults, report.counts["removed"]) == ([], 7)


def rewritten(attacker: Attacker) -> None:
    attacker.delete_and_close_the_gap(2)
    attacker.rewrite_tiles()
    attacker.rewrite_checkpoints()


def without_checkpoints(attacker: Attacker) -> None:
    attacker.delete_and_close_the_gap(2)
    attacker.rewrite_tiles()
    attacker.drop_checkpoint(4)
    attacker.sql("UPDATE ledgers SET size = 3 WHERE site_id = :site")


def in_tiles(attacker: Attacker) -> None:
    attacker.alter_tile(2)


@pytest.mark.parametrize("change", [rewritten, without_checkpoints, in_tiles])
def test_a_change_is_never_signed_over(shop: Shop, attacker: Attacker, change: Attack) -> None:
    shop.decide(site="rival")
    change(attacker)
    before = shop.checkpoints()
    shop.decide()
    with pytest.raises(InvalidProof, match=r"Run: consent ledger check|is not valid"):
        shop.seal()
    assert shop.checkpoints() == before
    assert shop.check().faults
    # The ledger of another site goes on.
    assert shop.checkpoints("rival")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_who_waits_is_told_of_each_batch(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 2)
    for _ in range(5):
        shop.decide()
    told: list[int] = []
    sealing.seal_ledger(shop.services.database, shop.services.keys.ring, shop.clock, progress=told.append)
    assert (told, sum(told)) == ([2, 2, 1], 5)
