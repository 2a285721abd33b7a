"""Records from before there were keys are encrypted in the background, and are whole before, meanwhile and after."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from consent_server import worker
from consent_server.audit.export import export_evidence
from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable
from consent_server.decisions import encrypt_records as encrypting
from consent_server.decisions import store as decisions
from consent_server.decisions.encrypt_records import Encryption, RecordEncryption, read_encryption, rewrite_once
from consent_server.decisions.record import Recorded
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_record_keys import HEIGHT, SLOTS
from consent_server.decisions.supply_keys import KeySupply
from consent_server.ledger.rules_removal import Rule
from consent_server.ledger.store_sealing import take_turns
from consent_server.receipts.remove_records import Remover
from tests.support.earlier import earlier_version, upgrade
from tests.support.factories import PUBLIC_URL, Clock
from tests.support.ledger_shop import Shop
from tests.support.traces import Files, holds, key_traces, page, prove, still_there, traces

pytestmark = pytest.mark.on_both_databases


@pytest.fixture
def shop(services: Context, notice: str, clock: Clock, tmp_path: Path) -> Shop:
    """A ledger of nine records in the clear: grants, a refusal, and the last two not sealed yet."""
    shop = Shop(services, clock, tmp_path)
    upgrade(services)
    with earlier_version():
        for number in range(6):
            shop.decide(page=f"https://shop.example/{page(number)}")
        shop.decide(action=Action.REFUSE_ALL, grants={})
        shop.seal()
        shop.decide(visitor=shop.made[0].visitor)
        shop.decide()
    return shop


@pytest.fixture
def run(shop: Shop) -> RecordEncryption:
    return RecordEncryption(shop.services.database, shop.clock, shop.services.random)


def encrypt_all(run: RecordEncryption) -> int:
    done = 0
    while batch := run.encrypt_batch():
        done += batch
    return done


def in_the_clear(shop: Shop) -> int:
    with shop.services.database.reading() as session:
        return len(session.scalars(select(DecisionRow.id).where(DecisionRow.content.is_(None))).all())


def test_all_holds_before_meanwhile_and_after(
    shop: Shop, run: RecordEncryption, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encrypting, "BATCH", 4)
    our = shop.services

    def pack() -> bytes:
        return b"".join(export_evidence(our.database, our.keys.ring, PUBLIC_URL, lambda: at, "shop", None, None))

    shop.seal()
    at = shop.clock()
    kept, packed, proofs = shop.checkpoints(), pack(), [prove(shop, made) for made in shop.made]
    for left in (9, 5, 1, 0):
        assert in_the_clear(shop) == left
        assert shop.check(*kept).faults == []
        assert [prove(shop, made) for made in shop.made] == proofs
        assert pack() == packed
        assert bool(run.encrypt_batch()) == bool(left)
    assert shop.verify(*kept).code == 0


def test_what_was_not_sealed_yet_is_sealed_by_its_commitment(shop: Shop, run: RecordEncryption) -> None:
    assert encrypt_all(run) == 9
    shop.seal()
    for made in shop.made:
        holds(shop, made, prove(shop, made))


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_repeated_post_is_known(shop: Shop, run: RecordEncryption, encrypted: bool) -> None:
    if encrypted:
        encrypt_all(run)
    for made in (shop.made[1], shop.made[6]):
        said = made.decision.answer
        again = shop.decide(decision_id=said.decision_id, action=said.action, grants=dict(said.grants), page=said.page)
        assert (again.new, again.receipt) == (False, made.receipt)
    assert len(shop.check().faults) == 0


def test_an_identifier_from_before_is_known(shop: Shop, run: RecordEncryption) -> None:
    visitor = shop.made[2].visitor
    assert shop.decide(visitor=visitor).visitor == visitor
    encrypt_all(run)
    assert shop.decide(visitor=visitor).visitor == visitor
    assert shop.erase(shop.made[2]) == 3


def test_it_ends_when_no_earlier_server_can_write_any_more(shop: Shop, run: RecordEncryption) -> None:
    database = shop.services.database
    assert read_encryption(database).left > 0
    assert encrypt_all(run) == 9
    assert read_encryption(database) == Encryption(0, ended=False, rewritten=False)
    with pytest.raises(StorageUnavailable, match="still encrypts"):
        rewrite_once(database)
    with earlier_version():
        late = shop.decide()
    shop.clock.advance(minutes=50)
    assert encrypt_all(run) == 0
    shop.clock.advance(minutes=10)
    assert encrypt_all(run) == 1
    assert read_encryption(database) == Encryption(0, ended=True, rewritten=False)
    shop.seal()
    holds(shop, late, prove(shop, late))
    rewrite_once(database)
    assert read_encryption(database) == Encryption(0, ended=True, rewritten=True)


def test_nothing_in_the_clear_is_left_in_any_file(shop: Shop, run: RecordEncryption, files: Files) -> None:
    kept = [made for made in shop.made[:6] if made.visitor]
    assert {"visitor in bytes", "payload"} <= set(still_there(files, traces(kept[3], page(3))))
    encrypt_all(run)
    shop.clock.advance(hours=1)
    encrypt_all(run)
    rewrite_once(shop.services.database)
    data = files()
    every = {(n, name): value for n, made in enumerate(kept) for name, value in traces(made, page(n)).items()}
    assert [place for place, value in every.items() if value in data] == []


def test_a_fresh_database_has_nothing_to_encrypt(services: Context) -> None:
    assert read_encryption(services.database) == Encryption(0, ended=True, rewritten=True)


# A change of a record in the clear, beside what its encryption changes.
OTHER: dict[str, Any] = {
    "action": "refuse_all", "granted": "", "recorded_at": 0, "site_id": 999_999, "notice_id": 999_999, "stale": True,
    "language": "xx",
    "receipt": "kept", "salt": bytes(32), "request_hash": bytes(32), "key_chunk": None, "key_slot": None,
    "commitment": bytes(32), "visitor": None, "content": None,
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_nothing_else_of_a_record_is_changed(shop: Shop, name: str) -> None:
    our = shop.services
    with our.database.transaction() as session:
        row = session.scalars(select(DecisionRow).order_by(DecisionRow.id)).first()
        assert row
        content = decisions._content_in_the_clear(row)
        (change,) = decisions.encrypted_parts(session, [(row.site_id, content)], KeySupply())
        row_id = row.id
    update = decisions.TABLE.update().where(decisions.TABLE.c.id == row_id)
    with pytest.raises(DBAPIError, match="kept as they are"), our.database.transaction() as session:
        session.connection().execute(update.values(change | {name: _as_stored(name)}))
    with our.database.transaction() as session:
        session.connection().execute(update.values(change))
    with pytest.raises(DBAPIError, match="kept as they are"), our.database.transaction() as session:
        session.connection().execute(update.values(change))


def _as_stored(name: str) -> Any:
    value = OTHER[name]
    return text(str(value)) if name == "recorded_at" else value


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("name", ["decision_id", "receipt_id"])
def test_no_other_record_is_put_away_by_it(shop: Shop, run: RecordEncryption, name: str) -> None:
    # OR REPLACE deletes what has the same key, and fires no trigger where the connection does not ask for it.
    encrypt_all(run)
    with earlier_version():
        shop.decide()
    our = shop.services
    with our.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA recursive_triggers=OFF")
        with our.database.reading() as session:
            rows = session.scalars(select(DecisionRow).order_by(DecisionRow.id)).all()
            other, row = rows[0], rows[-1]
            assert row.content is None
        taken = {"decision_id": other.decision_tag, "receipt_id": other.receipt_tag}[name]
        change = {"content": b"x", "key_chunk": 1, "key_slot": 1, "commitment": bytes(32)}
        change |= {"receipt": "", "salt": b"", "request_hash": b"", "decision_id": uuid4(), "receipt_id": uuid4()}
        update = decisions.TABLE.update().where(decisions.TABLE.c.id == row.id).prefix_with("OR REPLACE")
        with pytest.raises(DBAPIError, match="kept as they are"):
            connection.execute(update.values(change | {name: taken}))
        connection.rollback()
        connection.exec_driver_sql("PRAGMA recursive_triggers=ON")


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_record_is_erased_while_it_is_being_encrypted(shop: Shop) -> None:
    made, our = shop.made[3], shop.services
    remover = Remover(our.keys.ring, PUBLIC_URL, our.random)

    def remove() -> int:
        with our.database.transaction() as session:
            take_turns(session, [shop.site])
            return remover.remove(session, shop.site, Rule.ERASURE, "Request of the visitor", [3], shop.clock())

    with ThreadPoolExecutor(1) as pool:
        with our.database.transaction() as session:
            row = session.scalars(
                select(DecisionRow).where(DecisionRow.receipt_tag == made.receipt_id).with_for_update()
            ).one()
            decisions.encrypt_in_place(session, [row], KeySupply())
            erasure = pool.submit(remove)
            while not _waits_for_a_row(our):
                assert not erasure.done()
        assert erasure.result() == 1
    with our.database.reading() as session:
        assert decisions.by_receipt_id(session, made.receipt_id) is None
        kept = set(session.execute(text("SELECT node FROM record_keys")).scalars())
    # Its chunk, new for it alone, has lost what leads to its first slot.
    assert kept == {(SLOTS >> height) + 1 for height in range(HEIGHT)}


def _waits_for_a_row(services: Context) -> bool:
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"
    with services.database.reading() as session:
        return bool(session.execute(text(query)).scalar_one())


def test_records_are_erased_in_whichever_state(shop: Shop, run: RecordEncryption, files: Files) -> None:
    first: Recorded = shop.made[1]
    assert shop.erase(first) == 1
    encrypt_all(run)
    second = shop.made[2]
    secrets = key_traces(shop, second)
    assert shop.erase(second) == 1
    assert still_there(files, secrets) == []
    report = shop.check()
    assert (report.faults, report.counts["removed"]) == ([], 2)
    assert shop.verify().code == 0


def test_encryption_takes_turns(shop: Shop) -> None:
    our = shop.services
    runs = [RecordEncryption(our.database, shop.clock, our.random) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(encrypt_all, runs)) == 9
    shop.seal()
    assert shop.check().faults == []


def test_an_operator_is_told_until_the_files_are_rewritten(app: Flask, shop: Shop, run: RecordEncryption) -> None:
    def say(*command: str) -> Result:
        return app.test_cli_runner().invoke(args=command)

    again = ("retention", "run", "--rewrite-files")
    assert " to go" in say("doctor").output
    refused = say(*again)
    assert (refused.exit_code, refused.stdout) == (1, "0 removed\n")
    assert "still encrypts" in refused.stderr
    encrypt_all(run)
    shop.clock.advance(hours=1)
    encrypt_all(run)
    erased = say("visitor", "erase", str(shop.made[2].visitor))
    assert erased.stdout == "1 removed\n"
    for told in (say("doctor").output, erased.stderr):
        assert "consent retention run --rewrite-files" in told
    done = say(*again)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "0 removed\nfiles rewritten\n", "")
    assert "--rewrite-files" not in say("doctor").output


def test_a_worker_encrypts_by_itself(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "ENCRYPT_PAUSE", 0)
    monkeypatch.setattr(encrypting, "BATCH", 4)
    (task,) = [task for task in worker.tasks(shop.services) if task.name == "encryption"]
    task.run(shop.services)
    assert in_the_clear(shop) == 0
    shop.seal()
    assert shop.check().faults == []
