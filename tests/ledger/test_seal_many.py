"""Many ledgers are sealed together: in as many statements as a single one, and none keeps the others waiting."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from consent_server.core.errors import InvalidProof
from consent_server.ledger import seal as sealing
from consent_server.ledger import store_sealing as ledgers
from consent_server.ledger.check import check_ledger
from consent_server.ledger.seal import Sealer, seal_ledger
from consent_server.ledger.store_sealing import Growth
from tests.support.factories import TABLES, TOP, site_file
from tests.support.ledger_attacks import Attacker
from tests.support.ledger_shop import Shop
from tests.support.sites import Apply

MANY = [f"site-{number}" for number in range(12)]

Run = Callable[[], None]


@pytest.fixture
def sites(shop: Shop) -> list[str]:
    """A dozen more of them."""
    apply = Apply(shop.services)
    for key in MANY:
        apply.publish(site_file(TOP.replace('"shop"', f'"{key}"'), TABLES))
    return MANY


@pytest.fixture
def run(shop: Shop) -> Run:
    """One run of the worker that seals."""
    sealer = Sealer(shop.services.database)
    return lambda: sealer.run(shop.services.keys.ring, shop.clock)


@pytest.fixture
def attacker(shop: Shop, database_url: str) -> Iterator[Attacker]:
    """Somebody with write access, past the product and its triggers."""
    made = Attacker.on(database_url)
    yield made
    made.leave()


@contextmanager
def statements(shop: Shop) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    engine, asked = shop.services.database.engine, list[str]()

    def keep(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", keep)
    yield asked
    event.remove(engine, "before_cursor_execute", keep)


def sizes(shop: Shop, key: str) -> list[int]:
    return [row.size for row in shop.sealed(key)]


@pytest.mark.on_both_databases
def test_a_dozen_sites_cost_the_statements_of_a_single_one(shop: Shop, sites: list[str], run: Run) -> None:
    run()
    shop.decide(site=sites[0])
    with statements(shop) as single:
        run()
    for key in sites:
        shop.decide(site=key)
    with statements(shop) as dozen:
        run()
    assert len(dozen) == len(single)
    assert [sizes(shop, key) for key in sites] == [[1, 2], *[[1]] * 11]
    for key in sites:
        assert check_ledger(shop.services.database, shop.services.keys.ring, key, ()).faults == []


@pytest.mark.on_both_databases
def test_where_nothing_is_new_a_run_is_one_look(shop: Shop, sites: list[str], run: Run) -> None:
    shop.decide(site=sites[3])
    run()
    with statements(shop) as asked:
        run()
    assert [statement for statement in asked if not statement.startswith("BEGIN")] == [
        "SELECT max(decisions.id) AS max_1 \nFROM decisions"
    ]


def test_a_transaction_is_bounded_in_records_and_in_ledgers(
    shop: Shop, sites: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 4)
    monkeypatch.setattr(sealing, "SITES", 3)
    for key in sites[:5]:
        shop.decide(site=key)
    for _ in range(9):
        shop.decide(site=sites[5])
    told: list[int] = []
    seal_ledger(shop.services.database, shop.services.keys.ring, shop.clock, progress=told.append)
    assert told == [3, 2, 4, 4, 1]
    assert sizes(shop, sites[5]) == [4, 8, 9]


def test_a_site_with_very_much_that_is_new_keeps_none_waiting(
    shop: Shop, sites: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 4)
    run()
    for _ in range(12):
        shop.decide(site=sites[0])
    written, write = list[list[str]](), ledgers.write

    def visited(session: Session, growths: list[Growth]) -> None:
        write(session, growths)
        written.append([growth.state.ledger.origin.rpartition("/")[2] for growth in growths])

    monkeypatch.setattr(ledgers, "write", visited)
    look = Sealer._look

    def late(sealer: Sealer) -> None:
        # A visitor of another site, when the first batch is sealed.
        if len(written) == 1:
            shop.decide(site=sites[1])
        look(sealer)

    monkeypatch.setattr(Sealer, "_look", late)
    run()
    assert written == [[sites[0]], [sites[0]], [sites[1]], [sites[0]]]


@pytest.mark.on_both_databases
def test_a_change_stops_its_own_ledger_alone_and_is_named_once_a_minute(
    shop: Shop, sites: list[str], run: Run, attacker: Attacker, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacker.alter_tile(0)
    before = shop.checkpoints()
    for key in ("shop", *sites):
        shop.decide(site=key)
    with pytest.raises(InvalidProof, match=r"consent\.example/ledger/shop does not match"):
        run()
    shop.decide()
    shop.decide(site=sites[0])
    run()
    assert (shop.checkpoints(), sizes(shop, sites[0]), sizes(shop, sites[11])) == (before, [1, 2], [1])
    monkeypatch.setattr(sealing, "LOOK_SECONDS", 0)
    with pytest.raises(InvalidProof, match=r"consent\.example/ledger/shop does not match"):
        Sealer(shop.services.database).run(shop.services.keys.ring, shop.clock)


@pytest.mark.on_both_databases
def test_what_somebody_put_in_the_way_stops_its_own_ledger_alone(
    shop: Shop, sites: list[str], run: Run, attacker: Attacker
) -> None:
    attacker.sql("INSERT INTO leaves (site_id, leaf_index, commitment) VALUES (:site, 4, :data)", data=bytes(32))
    for key in (*sites, "shop"):
        shop.decide(site=key)
    with pytest.raises(InvalidProof, match=r"consent\.example/ledger/shop holds already") as refusal:
        run()
    assert "site-" not in str(refusal.value)
    assert [sizes(shop, key) for key in sites] == [[1]] * 12
    assert sizes(shop, "shop") == [4]


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_ledger_in_somebody_elses_turn_is_left_for_the_next_run(shop: Shop, sites: list[str], run: Run) -> None:
    run()
    shop.decide()
    shop.decide(site=sites[0])
    with shop.services.database.engine.connect() as elsewhere:
        elsewhere.execute(text("SELECT * FROM ledgers WHERE site_id = :site FOR UPDATE"), {"site": shop.site})
        run()
        assert (sizes(shop, "shop"), sizes(shop, sites[0])) == ([4], [1])
    run()
    assert sizes(shop, "shop") == [4, 5]


def test_a_removal_that_a_crash_left_without_a_leaf_is_sealed_at_the_next_look(
    shop: Shop, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    with monkeypatch.context() as crash:
        crash.setattr("consent_server.receipts.erase_visitor.seal_what_holds", lambda *_: ([], {}))
        shop.erase(shop.made[0])
    run()
    assert sizes(shop, "shop") == [4]
    Sealer(shop.services.database).run(shop.services.keys.ring, shop.clock)
    assert sizes(shop, "shop") == [4, 5]
