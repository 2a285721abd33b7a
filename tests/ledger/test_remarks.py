"""What a ledger says of itself is a signed leaf, and every check reports it without failing."""

from collections.abc import Callable, Iterator

import pytest

from consent_server.core.errors import InvalidProof
from consent_server.decisions.rules_receipt import Issuer, uuid7
from consent_server.ledger.remark import Remarker
from consent_server.ledger.rules_remark import Gap, RemarkRule, read_remark, remark_claims
from tests.support.factories import PUBLIC_URL, START, Clock
from tests.support.ledger_attacks import Attacker, altered
from tests.support.ledger_shop import Shop

ISSUER = Issuer(PUBLIC_URL, "shop", "consent.example/ledger/shop")


def remark(shop: Shop, rule: RemarkRule, *leaves: tuple[int, int]) -> None:
    our = shop.services
    with our.database.transaction() as session:
        Remarker(our.keys.ring, PUBLIC_URL, our.random).remark(
            session, shop.site, rule, "The operator says so", leaves, shop.clock()
        )
    shop.seal()


@pytest.mark.on_both_databases
def test_a_remark_is_a_leaf_that_checks_report(shop: Shop) -> None:
    remark(shop, RemarkRule.NOT_GENUINE, (1, 2))
    shop.decide()
    shop.seal()
    report = shop.check()
    assert report.faults == []
    assert report.counts["leaves"] == 6
    assert report.counts["removed"] == 0
    assert report.counts["leaves marked as not genuine by a signed entry (leaf 4: The operator says so)"] == 2


@pytest.mark.on_both_databases
def test_a_clock_that_was_put_back_is_healed_by_a_remark(shop: Shop, clock: Clock) -> None:
    clock.advance(hours=-1)
    shop.decide()
    clock.advance(hours=1)
    shop.decide()
    shop.seal()
    assert [fault.partition(":")[0] for fault in shop.check().faults] == ["leaf 4"]
    remark(shop, RemarkRule.CLOCK_CORRECTED, (4, 4))
    assert shop.check().faults == []


@pytest.mark.parametrize(
    ("rule", "leaves", "changes", "said"),
    [
        (RemarkRule.CLOCK_CORRECTED, [(4, 9)], {}, "newer than itself"),
        (RemarkRule.CLOCK_CORRECTED, [(4, 3)], {}, "not ascending"),
        (RemarkRule.CLOCK_CORRECTED, [(3, 4), (4, 5)], {}, "not ascending"),
        (RemarkRule.CLOCK_CORRECTED, [(3, 4)], {"count": 3}, "count"),
        (RemarkRule.CLOCK_CORRECTED, [(3, 4)], {"rule": "erasure"}, "form"),
        (RemarkRule.CLOCK_CORRECTED, [], {}, "not about both"),
        (RemarkRule.RESTORED, [(3, 4)], {}, "not about both"),
    ],
)
def test_a_remark_that_breaks_a_rule_counts_for_nothing(
    rule: RemarkRule, leaves: list[tuple[int, int]], changes: dict[str, object], said: str
) -> None:
    claims = remark_claims(ISSUER, uuid7(START, bytes(10)), rule, "So", leaves, START)
    with pytest.raises(InvalidProof, match=said):
        read_remark(claims | changes, 9)


@pytest.mark.parametrize(
    "gap",
    [
        Gap("consent.example/ledger/shop", 9, "00" * 32, 5),
        Gap("consent.example/ledger/shop/2", 4, "00" * 32, 5),
        Gap("consent.example/ledger/shop/2", 9, "00", 5),
        Gap("consent.example/ledger/shop/2", 19, "00" * 32, 10),
    ],
)
def test_a_gap_that_cannot_be_counts_for_nothing(gap: Gap) -> None:
    claims = remark_claims(ISSUER, uuid7(START, bytes(10)), RemarkRule.RESTORED, "So", [], START, gap)
    with pytest.raises(InvalidProof, match="what was lost"):
        read_remark(claims, 9)


@pytest.fixture
def attacker(shop: Shop, database_url: str) -> Iterator[Attacker]:
    """Somebody with write access, past the product and its triggers."""
    made = Attacker.on(database_url)
    yield made
    made.leave()


def take_back(attacker: Attacker) -> None:
    attacker.sql("UPDATE removals SET rule = NULL WHERE site_id = :site")


def widen(attacker: Attacker) -> None:
    entry = str(attacker.sql("SELECT entry FROM removals WHERE site_id = :site").scalar_one())
    attacker.sql("UPDATE removals SET entry = :entry", entry=altered(entry, leaves=[[0, 3]], count=4))


def delete(attacker: Attacker) -> None:
    attacker.sql("UPDATE leaves SET removal_id = NULL WHERE removal_id IS NOT NULL AND site_id = :site")
    attacker.sql("DELETE FROM removals WHERE site_id = :site")


def pass_for_a_removal(attacker: Attacker) -> None:
    attacker.sql("INSERT INTO removed (site_id, first, last, removal_id) SELECT site_id, 1, 1, id FROM removals")
    attacker.delete(1)


@pytest.mark.parametrize(
    ("attack", "said", "failed"),
    [
        (take_back, "leaf 4: The header must say", "remarks"),
        (widen, "leaf 4: the record is not the one that was sealed", "remarks"),
        (delete, "leaf 4: the record is gone and no signed removal names it", "removals"),
        (pass_for_a_removal, "leaf 1: ", "removals"),
    ],
)
def test_a_remark_that_somebody_changed_is_named(
    shop: Shop, attacker: Attacker, attack: Callable[[Attacker], None], said: str, failed: str
) -> None:
    remark(shop, RemarkRule.NOT_GENUINE, (1, 2))
    shop.decide()
    shop.seal()
    assert shop.verify().fails == []
    attack(attacker)
    assert [fault for fault in shop.check().faults if fault.startswith(said)], shop.check().faults
    assert failed in {check for check, _, _ in shop.verify().fails}
