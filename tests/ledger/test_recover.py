"""After a restore the ledger goes on under a new name, says what was lost, and a fork is still a fork."""

from collections.abc import Callable
from pathlib import Path

import pytest

from consent_server.core.errors import InvalidProof
from consent_server.ledger.recover import recover_ledger
from consent_server.ledger.remark import Remarker
from consent_server.ledger.rules_remark import Gap
from consent_server.receipts.verify import verify_receipt
from consent_server.sites.current_site import FIRST_LOOK, CurrentSites
from tests.support.factories import PUBLIC_URL, Clock
from tests.support.ledger_shop import Shop
from tests.support.postgresql import PostgreSQL
from tests.support.sealed import opened
from tests.support.set_back import OlderCopy

SIGNED = "signed-checkpoints.jsonl"
ORIGIN = "consent.example/ledger/shop"


@pytest.fixture
def copy(shop: Shop, tmp_path: Path, dialect: str, request: pytest.FixtureRequest) -> Callable[[], OlderCopy]:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if dialect == "postgresql" else None
    return lambda: OlderCopy(shop.services, tmp_path, server)


def recover(shop: Shop, *kept: str, dry_run: bool = False) -> list[Gap]:
    our = shop.services
    remarker = Remarker(our.keys.ring, PUBLIC_URL, our.random)
    return recover_ledger(our.database, remarker, our.keys.guard, shop.clock, "shop", kept, dry_run)


@pytest.fixture
def lost(shop: Shop, copy: Callable[[], OlderCopy]) -> list[str]:
    """Four records are here; a checkpoint of seven was given out."""
    older = copy()
    for _ in range(3):
        shop.decide()
    shop.seal()
    given_out = shop.checkpoints()
    older.put_back()
    return given_out


@pytest.mark.on_both_databases
def test_the_ledger_goes_on_under_a_new_name_and_says_what_was_lost(shop: Shop, clock: Clock, lost: list[str]) -> None:
    first, given_out = shop.made[0], shop.made[6]
    since = shop.decide()
    sites, dry = shop.services[CurrentSites], recover(shop, dry_run=True)
    assert dry == recover(shop)
    assert sites.look(FIRST_LOOK)
    assert sites.get("shop").ledger == f"{ORIGIN}/2", "Seen at the next look."
    shop.decide()
    shop.seal()
    assert shop.checkpoints()[-1].startswith(f"{ORIGIN}/2\n7\n")
    report = shop.check(*lost)
    assert report.faults == []
    assert report.counts["leaves"] == 4 + 1 + 2
    said = "leaves lost when a backup was restored, says a signed entry (leaf 4: A backup of 4 leaves was restored)"
    assert report.counts[said] == 3
    assert report.counts["kept checkpoints of leaves that a restore lost, says a signed entry"] == 1
    outcome = shop.verify(*lost)
    assert (outcome.code, outcome.fails) == (0, [])
    assert f"leaf 4, restored, 3 leaves of {ORIGIN} were lost: A backup of 4 leaves was restored" in outcome.text
    ring, database = shop.services.keys.ring, shop.services.database
    for receipt in (first.receipt, since.receipt):
        assert verify_receipt(receipt, ring, database, clock).valid
    gone = verify_receipt(given_out.receipt, ring, database, clock)
    assert [check.name for check in gone.checks if not check.ok] == ["record", "inclusion"]
    assert (
        "the database was restored from a backup (leaf 4 says so), and the record of it was lost"
        in gone.checks[2].detail
    )
    assert recover(shop) == []


def test_what_was_erased_is_not_said_to_be_lost(shop: Shop, clock: Clock, lost: list[str]) -> None:
    recover(shop)
    clock.advance(days=1)
    late = shop.decide()
    shop.seal()
    shop.erase(late)
    verified = verify_receipt(late.receipt, shop.services.keys.ring, shop.services.database, clock)
    assert "it may have been erased" in verified.checks[2].detail


def test_another_machine_recovers_by_checkpoints_that_were_kept(shop: Shop, lost: list[str], tmp_path: Path) -> None:
    (tmp_path / SIGNED).unlink()
    assert recover(shop) == []
    with pytest.raises(InvalidProof):
        recover(shop, lost[-1].replace("7\n", "9\n"))
    (gap,) = recover(shop, *lost)
    assert (gap.ledger, gap.size, gap.restored, gap.root) == (ORIGIN, 7, 4, opened(shop, lost[-1]).root.hex())
    assert shop.check(*lost).faults == []


def test_a_backup_that_is_older_than_a_recovery(shop: Shop, copy: Callable[[], OlderCopy], lost: list[str]) -> None:
    older = copy()
    recover(shop)
    shop.decide()
    shop.seal()
    second = shop.checkpoints()
    older.put_back()
    shop.decide()
    with pytest.raises(InvalidProof, match=r"older than .*/ledger/shop/2"):
        shop.seal()
    gaps = recover(shop)
    assert [(gap.ledger, gap.size) for gap in gaps] == [(ORIGIN, 7), (f"{ORIGIN}/2", 6)]
    shop.decide()
    shop.seal()
    assert shop.checkpoints()[-1].startswith(f"{ORIGIN}/3\n")
    report = shop.check(*lost, *second)
    assert report.faults == []
    assert shop.verify(*lost, *second).fails == []
    # Of the first ledger 7 leaves; of the second 5 and 6.
    assert report.counts["kept checkpoints of leaves that a restore lost, says a signed entry"] == 3


def test_a_fork_is_still_a_fork(shop: Shop, lost: list[str], tmp_path: Path) -> None:
    # Whoever goes on without the memory signs a second history of the same name. No entry mends that.
    (tmp_path / SIGNED).unlink()
    for _ in range(4):
        shop.decide()
    shop.seal()
    assert any("rewritten" in fault or "cut out" in fault for fault in shop.check(*lost).faults)
    # Told of what was signed elsewhere, nothing is signed over it, and nothing is recovered.
    with pytest.raises(InvalidProof, match="does not continue the checkpoint of 7 leaves"):
        recover(shop, *lost)


def test_an_entry_that_admits_less_than_was_signed_is_found_out(
    shop: Shop, copy: Callable[[], OlderCopy], tmp_path: Path
) -> None:
    older = copy()
    for _ in range(2):
        shop.decide()
        shop.seal()
    given_out = shop.checkpoints()
    older.put_back()
    (tmp_path / SIGNED).unlink()
    recover(shop, given_out[1])
    assert shop.check(*given_out[:2]).faults == []
    (fault,) = shop.check(*given_out).faults
    outcome = shop.verify(*given_out)
    (failed,) = outcome.fails
    assert (failed[0], failed[2]) == ("kept", "it has 6 leaves, and the entry about the restore admits only 5")
    assert fault == "kept checkpoint 6: the entry about the restore says that 5 leaves were signed: it was cut"


@pytest.mark.parametrize("kept", ["", "# README\n", "another.example/{note}"])
def test_what_is_no_checkpoint_is_refused_beside_one_that_is(shop: Shop, lost: list[str], kept: str) -> None:
    before = shop.checkpoints()
    with pytest.raises(InvalidProof):
        recover(shop, lost[-1], kept.format(note=lost[-1]))
    assert shop.checkpoints() == before


def test_checkpoints_of_other_ledgers_alone_recover_nothing(shop: Shop, lost: list[str]) -> None:
    shop.decide("rival")
    shop.seal()
    (rival,) = shop.checkpoints("rival")
    with pytest.raises(InvalidProof, match="None of the checkpoints"):
        recover(shop, rival)
    # The file of another machine has those of all sites.
    assert [gap.size for gap in recover(shop, rival, *lost)] == [7]
