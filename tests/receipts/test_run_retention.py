"""Proofs go when their time is over: in bounded batches, behind signed entries, out of every file."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from consent_server import worker
from consent_server.access.log_lookup import log_lookup, read_lookups
from consent_server.access.rules import Access, Role, grants_of
from consent_server.core.context import Context
from consent_server.core.errors import InvalidSiteFile, UnknownReceipt
from consent_server.core.rows import SiteRow
from consent_server.receipts import run_retention as retaining
from consent_server.receipts.prove import prove_receipt
from consent_server.receipts.run_retention import run_retention
from consent_server.sites.current_site import CurrentSites
from tests.support.factories import PUBLIC_URL, Body, Clock
from tests.support.ledger_shop import PROOFS_END, Shop
from tests.support.traces import Files, holds, key_traces, page, prove, still_there, traces
from tests.support.visitor import post

pytestmark = pytest.mark.on_both_databases

SOMEBODY = Access("olga@shop.example", grants_of(Role.OPERATOR, None))


@pytest.fixture
def shop(services: Context, notice: str, clock: Clock, tmp_path: Path) -> Shop:
    """An empty ledger whose proofs are kept for three years."""
    assert services[CurrentSites].get("shop").site.proof_retention == "P3Y"
    return Shop(services, clock, tmp_path)


def run(shop: Shop) -> list[tuple[str, int]]:
    """`consent retention run`: what it reports batch by batch."""
    our = shop.services
    return list(run_retention(our.database, our.keys, PUBLIC_URL, shop.clock, our.random))


def test_what_is_over_goes_in_batches_and_what_is_not_stays(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retaining, "batch_size", lambda _: 4)
    old = [shop.decide() for _ in range(10)]
    theirs = shop.decide(site="rival")
    shop.seal()
    proofs = [prove(shop, one) for one in old]
    kept = shop.checkpoints()
    shop.clock.at += PROOFS_END - timedelta(days=1, seconds=20)
    young = [shop.decide() for _ in range(3)]
    assert run(shop) == []
    shop.clock.advance(minutes=1)
    assert run(shop) == [("rival", 1), ("shop", 4), ("shop", 4), ("shop", 2)]
    assert run(shop) == []
    for one in (*old, theirs):
        with pytest.raises(UnknownReceipt):
            prove_receipt(shop.services.database, str(one.receipt_id))
    for one, proof in [*zip(old, proofs, strict=True), *((one, prove(shop, one)) for one in young)]:
        holds(shop, one, proof)
    report = shop.check(*kept)
    assert (report.faults, report.counts["removed"], report.counts["leaves"]) == ([], 10, 10 + 3 + 3)
    assert shop.verify(*kept).code == 0


@pytest.mark.parametrize("duration", ["", "P3W", "three years", "P0D"])
def test_a_retention_that_cannot_be_read_removes_nothing_and_is_told(shop: Shop, duration: str) -> None:
    ours, theirs = shop.decide(), shop.decide(site="rival")
    with shop.services.database.transaction() as session:
        row = session.scalars(select(SiteRow).where(SiteRow.key == "shop")).one()
        row.settings = row.settings | {"proof_retention": duration}
    shop.clock.at += PROOFS_END
    removing = run_retention(shop.services.database, shop.services.keys, PUBLIC_URL, shop.clock, shop.services.random)
    assert next(removing) == ("rival", 1)
    with pytest.raises(InvalidSiteFile, match=f'shop: proof_retention "{duration}" is not a duration.*1 removed'):
        next(removing)
    holds(shop, ours, prove(shop, ours))
    with pytest.raises(UnknownReceipt):
        prove(shop, theirs)


def test_neighbours_go_behind_one_range(shop: Shop) -> None:
    for number in range(30):
        shop.decide(change=number % 2 == 1)
    shop.clock.at += PROOFS_END
    assert run(shop) == [("shop", 30)]
    with shop.services.database.reading() as session:
        assert session.execute(text('SELECT "first", "last" FROM removed')).all() == [(0, 29)]


@pytest.mark.slow
def test_no_trace_of_what_is_over_is_left_in_any_file(shop: Shop, files: Files) -> None:
    old = [shop.decide(page=f"https://shop.example/{page(number)}") for number in range(40)]
    patterns = {f"{name} of {n}": value for n, one in enumerate(old) for name, value in traces(one, page(n)).items()}
    patterns |= {f"{name} of {n}": value for n, one in enumerate(old) for name, value in key_traces(shop, one).items()}
    shop.clock.at += PROOFS_END
    young = shop.decide(page=f"https://shop.example/{page(40)}")
    # The one secret of all of them, and nothing in the clear.
    assert still_there(files, patterns) == [f"secret of node 1 of {number}" for number in range(40)]
    assert run(shop) == [("shop", 40)]
    assert still_there(files, patterns) == []
    assert len(still_there(files, key_traces(shop, young))) == 1


def test_look_ups_go_after_a_year_though_no_record_does(shop: Shop) -> None:
    shop.decide()
    log_lookup(shop.services.database, SOMEBODY, shop.site, "search", {"action": "save"}, shop.clock())
    shop.clock.advance(days=365, seconds=1)
    log_lookup(shop.services.database, SOMEBODY, shop.site, "gaps", {}, shop.clock())
    assert run(shop) == []
    found, _ = read_lookups(shop.services.database, SOMEBODY, None)
    assert [one.what for one in found] == ["gaps"]


def test_look_ups_go_by_themselves_before_a_year_is_over(shop: Shop) -> None:
    (task,) = [task for task in worker.tasks(shop.services) if task.name == "look-ups"]
    assert (task.seconds, task.alone) == (600, True)
    log_lookup(shop.services.database, SOMEBODY, shop.site, "gaps", {}, shop.clock())
    shop.clock.advance(days=364, hours=23)
    task.run(shop.services)
    assert len(read_lookups(shop.services.database, SOMEBODY, None)[0]) == 1
    # What would be a year old within the hour goes: long before the next run would come too late for it.
    shop.clock.advance(seconds=1)
    task.run(shop.services)
    assert read_lookups(shop.services.database, SOMEBODY, None) == ([], None)


def test_the_address_that_a_limit_counts_is_in_no_file(
    client: FlaskClient, body: Body, files: Files, tmp_path: Path
) -> None:
    address, agent = "203.0.113.77", "TELLTALE/1.0"
    for _ in range(3):
        answer = post(client, body(), headers={"User-Agent": agent}, environ={"REMOTE_ADDR": address})
        assert answer.status_code == 201
    forms = {"text": address.encode(), "hex": b"cb00714d", "bytes": bytes([203, 0, 113, 77]), "agent": b"TELLTALE"}
    assert still_there(files, forms) == []
    others = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name, value in forms.items() if value in others] == []
