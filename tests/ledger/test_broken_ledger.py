"""A ledger that somebody changed stops at its own records: every other site's rights and receipts go on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from consent_server.core.context import Context
from consent_server.core.errors import InvalidProof, Refusal
from consent_server.receipts.erase_visitor import erase_requested
from consent_server.receipts.request_erasure import read_erasure_requests, request_erasure
from consent_server.receipts.run_retention import run_retention
from consent_server.receipts.verify import verify_receipt
from consent_server.sites.current_site import CurrentSites
from tests.support.factories import PUBLIC_URL, Clock
from tests.support.ledger_attacks import Attacker
from tests.support.ledger_shop import PROOFS_END, Shop

SHOPS = r"consent\.example/ledger/shop"
RIVALS = r"consent\.example/ledger/rival"


@pytest.fixture
def shop(services: Context, notice: str, clock: Clock, tmp_path: Path, database_url: str) -> Iterator[Shop]:
    """Two records, one of them of the rival; then somebody changes the shop's ledger."""
    made = Shop(services, clock, tmp_path)
    made.decide()
    made.decide(site="rival")
    made.seal()
    attacker = Attacker.on(database_url)
    attacker.alter_tile(0)
    yield made
    attacker.leave()


def count(shop: Shop, site: str) -> int:
    with shop.services.database.reading() as session:
        query = "SELECT count(*) FROM decisions JOIN sites ON sites.id = site_id WHERE key = :site"
        return int(session.execute(text(query), {"site": site}).scalar_one())


def retain(shop: Shop) -> list[tuple[str, int]]:
    """What retention reports until it ends or fails."""
    our, told = shop.services, []
    try:
        for batch in run_retention(our.database, our.keys, PUBLIC_URL, shop.clock, our.random):
            told.append(batch)
    except Refusal as refusal:
        told.append((refusal.detail, 0))
    return told


def test_a_visitor_of_another_site_is_erased(shop: Shop) -> None:
    assert shop.erase(shop.made[1]) == 1
    assert count(shop, "rival") == 0


def test_nothing_is_removed_from_a_ledger_that_was_changed(shop: Shop) -> None:
    with pytest.raises(InvalidProof, match=SHOPS):
        shop.erase(shop.made[0])
    assert count(shop, "shop") == 1


def test_requests_on_healthy_sites_are_carried_out_before_the_broken_one_is_named(shop: Shop) -> None:
    our = shop.services
    for made in (*shop.made, shop.decide(), shop.decide(site="rival")):
        request_erasure(our.database, str(made.receipt_id), shop.clock())
    with pytest.raises(InvalidProof, match=SHOPS):
        erase_requested(our.database, our.keys, PUBLIC_URL, shop.clock, our.random, None)
    assert (count(shop, "shop"), count(shop, "rival")) == (2, 0)
    assert [one.site for one in read_erasure_requests(our.database)] == ["shop", "shop"]


@pytest.mark.on_both_databases
def test_retention_of_healthy_sites_goes_on_before_the_broken_one_is_named(shop: Shop) -> None:
    shop.clock.at += PROOFS_END
    shop.decide()
    done, (failure, _) = retain(shop)
    assert done == ("rival", 1)
    assert "consent.example/ledger/shop does not match its last checkpoint" in failure
    assert (count(shop, "shop"), count(shop, "rival")) == (2, 0)


def test_a_good_receipt_of_another_site_verifies_before_it_is_sealed(shop: Shop) -> None:
    shop.decide()
    receipt = shop.decide(site="rival").receipt
    said = verify_receipt(receipt, shop.services.keys.ring, shop.services.database, shop.clock)
    assert [(check.name, check.ok) for check in said.checks if not check.ok] == []


def test_a_receipt_of_the_broken_one_says_why_it_is_not_included(shop: Shop) -> None:
    receipt = shop.decide().receipt
    said = verify_receipt(receipt, shop.services.keys.ring, shop.services.database, shop.clock)
    ((name, detail),) = [(check.name, check.detail) for check in said.checks if not check.ok]
    assert name == "inclusion"
    assert "does not match its last checkpoint" in detail


@pytest.mark.on_both_databases
def test_all_that_are_broken_are_named(shop: Shop, database_url: str) -> None:
    attacker = Attacker.on(database_url)
    attacker.site = shop.services[CurrentSites].get("rival").site_id
    attacker.alter_tile(0)
    attacker.leave()
    shop.decide()
    shop.decide(site="rival")
    with pytest.raises(InvalidProof, match=SHOPS) as refusal:
        shop.seal()
    assert refusal.match(RIVALS)
