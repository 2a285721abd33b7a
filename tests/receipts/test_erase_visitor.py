"""After an erasure nothing of the visitor is in any file of the database, and every proof still holds."""

import base64
import random
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError

from consent_server.core import rewriting
from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable, UnknownReceipt
from consent_server.decisions import store as decisions
from consent_server.decisions.record import Recorded
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.receipts import erase_visitor as erasing
from consent_server.receipts.erase_visitor import erase_requested
from consent_server.receipts.request_erasure import read_erasure_requests, request_erasure
from tests.support.factories import PUBLIC_URL, Clock
from tests.support.ledger_shop import Shop
from tests.support.traces import Files, holds, key_traces, page, prove, still_there, traces
from tests.support.visitor import identifier

pytestmark = pytest.mark.on_both_databases


@pytest.fixture
def shop(services: Context, notice: str, clock: Clock, tmp_path: Path) -> Shop:
    """An empty ledger."""
    return Shop(services, clock, tmp_path)


def test_proofs_from_before_and_after_hold(shop: Shop) -> None:
    made = [shop.decide() for _ in range(9)]
    shop.seal()
    before = [prove(shop, one) for one in made]
    kept = shop.checkpoints()
    assert shop.erase(made[4]) == 1
    for one, proof in zip(made, before, strict=True):
        holds(shop, one, proof)
    for one in made[:4] + made[5:]:
        holds(shop, one, prove(shop, one))
    with pytest.raises(UnknownReceipt):
        prove(shop, made[4])
    report = shop.check(*kept)
    assert (report.faults, report.counts["removed"]) == ([], 1)
    assert shop.verify(*kept).code == 0


@pytest.mark.slow
def test_no_trace_is_left_in_any_file(shop: Shop, files: Files, dialect: str, request: pytest.FixtureRequest) -> None:
    # Erased in an order of their own, among others who come and go: that moves rows and splits pages of indexes.
    chance = random.Random(8)
    size = 300
    made: dict[int, Recorded] = {}
    gone: dict[int, Recorded] = {}
    secrets: dict[tuple[int, str], bytes] = {}

    def erase(number: int) -> None:
        theirs = {each: one for each, one in made.items() if one.visitor == made[number].visitor}
        for each, one in theirs.items():
            secrets.update({(each, name): value for name, value in key_traces(shop, one).items()})
        assert shop.erase(made[number]) == len(theirs)
        gone.update({each: made.pop(each) for each in theirs})

    def decide(number: int) -> Recorded:
        # Most have been here before, so that their entries stand in the middle of an index.
        known = chance.choice(sorted({one.visitor for one in made.values() if one.visitor})) if made else None
        return shop.decide(page=f"https://shop.example/{page(number)}", visitor=known)

    for start, end in ((0, 100), (100, size // 2), (size // 2, size)):
        with ThreadPoolExecutor(16) as pool:
            done = list(pool.map(decide, range(start, end)))
        made.update(enumerate(done, start))
        for _ in range(size // 100):
            erase(chance.choice(sorted(made)))
    if dialect == "postgresql":
        # Its statistics keep samples of what is in a column.
        request.getfixturevalue("postgresql").execute("ANALYZE decisions", "consent")
    last = chance.choice(sorted(made))
    # Nothing that identifies ever came to a file; what leads to the key of a record that stands is in one.
    assert still_there(files, traces(made[last], page(last))) == []
    assert len(still_there(files, key_traces(shop, made[last]))) == 1
    erase(last)
    data = files()
    assert len(secrets) > size // 100
    assert [place for place, value in secrets.items() if value in data] == []
    every = {(number, name): value for number, one in gone.items() for name, value in traces(one, page(number)).items()}
    assert len(gone) > 6
    assert [place for place, value in every.items() if value in data] == []
    assert shop.check().faults == []


def test_a_visitor_of_many_records_goes_in_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "batch_size", lambda _: 3)
    first = shop.decide()
    for _ in range(7):
        shop.decide()
        shop.decide(visitor=first.visitor)
    other = shop.decide(site="rival")
    our, told = shop.services, list[int]()
    erasing.erase_visitor(
        our.database, our.keys, PUBLIC_URL, shop.clock, our.random, identifier(first.visitor), told.append
    )
    assert told == [3, 3, 2, 0]
    assert shop.erase(first) == 0
    report = shop.check()
    assert (report.faults, report.counts["removed"], report.counts["leaves"]) == ([], 8, 15 + 3)
    shop.seal()
    holds(shop, other, prove(shop, other), "rival")


def test_keys_may_be_rotated_while_many_records_go(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "batch_size", lambda _: 3)
    first = shop.decide()
    for _ in range(7):
        shop.decide(visitor=first.visitor)
    ctx, rotated = shop.services, list[str]()

    def rotate_once(_: int) -> None:
        if not rotated:
            rotated.append(ctx.keys.rotate(ctx.now()))
            # Another worker seals with the new key meanwhile.
            shop.decide()
            shop.seal()

    visitor = identifier(first.visitor)
    assert erasing.erase_visitor(ctx.database, ctx.keys, PUBLIC_URL, shop.clock, ctx.random, visitor, rotate_once) == 8
    assert rotated
    assert shop.check().faults == []


def ask(shop: Shop, made: Recorded) -> None:
    request_erasure(shop.services.database, str(made.receipt_id), shop.clock())


def carry_out(shop: Shop) -> int:
    our = shop.services
    return erase_requested(our.database, our.keys, PUBLIC_URL, shop.clock, our.random, None)


def test_requests_are_carried_out_in_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "batch_size", lambda _: 3)
    monkeypatch.setattr(erasing, "REQUESTS", 2)
    kept = [shop.decide(), shop.decide(action=Action.REFUSE_ALL, grants={})]
    visitors = [shop.decide() for _ in range(3)]
    later = [shop.decide(visitor=one.visitor) for one in visitors for _ in range(4)]
    refusals = [shop.decide(action=Action.REFUSE_ALL, grants={}) for _ in range(2)]
    rivals = shop.decide(site="rival")
    # Two by the same visitor, each with a receipt of their own.
    for made in (visitors[0], later[1], *visitors[1:], *refusals, rivals):
        ask(shop, made)
    assert carry_out(shop) == 3 * 5 + 2 + 1
    assert carry_out(shop) == 0
    assert read_erasure_requests(shop.services.database) == []
    for made in kept:
        holds(shop, made, prove(shop, made))
    report = shop.check()
    assert (report.faults, report.counts["removed"]) == ([], 17)
    assert shop.verify().code == 0


def test_a_request_stays_open_until_all_that_it_covers_is_gone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "batch_size", lambda _: 3)
    asked = shop.decide()
    for _ in range(7):
        shop.decide(visitor=asked.visitor)
    ask(shop, asked)
    our = shop.services

    def power_cut() -> datetime:
        # The clock is asked before each batch: it stops once the first is gone.
        with our.database.reading() as session:
            if session.scalar(select(func.count()).select_from(DecisionRow)) == 5:
                raise StorageUnavailable("Away.")
        return shop.clock()

    with pytest.raises(StorageUnavailable):
        erase_requested(our.database, our.keys, PUBLIC_URL, power_cut, our.random, None)
    assert len(read_erasure_requests(our.database)) == 1
    assert carry_out(shop) == 5
    assert read_erasure_requests(shop.services.database) == []
    assert shop.check().faults == []


@contextmanager
def reader(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """Somebody who began to read before the erasure and has not ended."""
    if dialect == "sqlite":
        connection = sqlite3.connect(tmp_path / "consent.sqlite3", isolation_level=None)
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM decisions").fetchall()
        yield
        connection.close()
        return
    folder = str(request.getfixturevalue("postgresql").folder)
    with psycopg.connect(host=folder, user="consent", dbname="consent") as other:
        other.execute("SELECT count(*) FROM decisions")
        yield


def test_files_that_somebody_holds_are_not_said_to_be_clean(
    shop: Shop,
    files: Files,
    dialect: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = shop.decide(page=f"https://shop.example/{page(0)}")
    secrets = key_traces(shop, made)
    monkeypatch.setattr(rewriting, "PATIENCE", 0.2)
    with reader(dialect, tmp_path, request), pytest.raises(StorageUnavailable, match="The records are removed, but"):
        shop.erase(made)
    assert shop.erase(made) == 0
    assert still_there(files, secrets | traces(made, page(0))) == []
    assert shop.check().faults == []


def test_visitors_decide_while_an_erasure_waits_for_a_reader(
    shop: Shop,
    files: Files,
    dialect: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = shop.decide()
    secrets = key_traces(shop, made)
    with ThreadPoolExecutor(1) as pool:
        with reader(dialect, tmp_path, request):
            erasure = pool.submit(shop.erase, made)
            while not is_gone(shop, made):
                assert not erasure.done()
            later = [shop.decide() for _ in range(3)]
            assert not erasure.done()
        assert erasure.result() == 1
    assert still_there(files, secrets) == []
    shop.seal()
    for one in later:
        holds(shop, one, prove(shop, one))
    assert shop.check().faults == []


def test_visitors_decide_between_two_batches_of_an_erasure(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "batch_size", lambda _: 3)
    first = shop.decide()
    for _ in range(7):
        shop.decide(visitor=first.visitor)
    our, later = shop.services, list[Recorded]()
    visitor = identifier(first.visitor)
    with ThreadPoolExecutor(1) as pool:
        erasing.erase_visitor(
            our.database, our.keys, PUBLIC_URL, shop.clock, our.random, visitor,
            lambda _: later.append(pool.submit(shop.decide).result()),
        )  # fmt: skip
    assert len(later) == 4
    shop.seal()
    for one in later:
        holds(shop, one, prove(shop, one))


def is_gone(shop: Shop, made: Recorded) -> bool:
    with shop.services.database.reading() as session:
        return decisions.by_receipt_id(session, made.receipt_id) is None


def test_what_is_searched_for_would_be_found() -> None:
    # The search is only as good as its patterns: each is in the text that it stands for.
    text = b'{"sub":"0190b5e0-0000-7000-8000-000000000001"}'
    for offset in range(3):
        encoded = base64.urlsafe_b64encode(b"x" * offset + text)
        plain = b"0190b5e0-0000-7000-8000-000000000001"
        shift = (offset + text.index(plain)) % 3
        assert base64.urlsafe_b64encode(b"x" * shift + plain).rstrip(b"=")[4:-4] in encoded


def test_a_neighbour_of_what_was_removed_is_kept_by_the_database(shop: Shop) -> None:
    made = [shop.decide() for _ in range(5)]
    assert shop.erase(made[1]) == shop.erase(made[3]) == 1
    for left in (made[0], made[2], made[4]):
        with pytest.raises(DBAPIError, match="kept as they are"), shop.services.database.transaction() as session:
            session.execute(delete(DecisionRow).where(decisions.is_of(DecisionRow.receipt_tag, [left.receipt_id])))
