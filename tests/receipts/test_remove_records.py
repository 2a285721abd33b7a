"""Removals take turns: two at once neither name a leaf twice nor leave an entry that no checkpoint covers."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from consent_server.core.context import Context
from tests.support.factories import Clock
from tests.support.ledger_shop import PROOFS_END, Shop
from tests.support.removing_worker import Removal, erasure, remove_and_stop, retention
from tests.support.sealing_worker import PROCESSES, start
from tests.support.visitor import identifier

pytestmark = pytest.mark.on_both_databases

# Which removal comes first, and after which call it stops: once it has chosen, has written its entry, has removed.
FIRST = [(retention, "leaves_before"), (erasure, "leaves_of"), (erasure, "RemovedRow"), (erasure, "remove")]


@pytest.fixture
def shop(services: Context, notice: str, clock: Clock, tmp_path: Path) -> Shop:
    """Four records whose time is over, under a checkpoint."""
    made = Shop(services, clock, tmp_path)
    made.decide_and_seal()
    clock.at += PROOFS_END
    return made


def waits(shop: Shop) -> bool:
    """Whether somebody stands behind somebody else at the database."""
    if shop.services.database.embedded:
        return any(thread.name == "turn" for thread in threading.enumerate())
    # For a lock; or sealing, for whoever is writing records: it looks again and again, in one transaction.
    locks = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    looks = (
        "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND state = 'idle in transaction' AND query LIKE '%RowExclusiveLock%'"
    )
    with shop.services.database.reading() as session:
        return any(session.scalar(text(query)) for query in (locks, looks))


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ranges(shop: Shop) -> list[tuple[int, int]]:
    with shop.services.database.reading() as session:
        query = text('SELECT "first", "last" FROM removed WHERE site_id = :site ORDER BY "first"')
        return [(row[0], row[1]) for row in session.execute(query, {"site": shop.site})]


@pytest.mark.parametrize("killed", [False, True], ids=["goes on", "is killed"])
@pytest.mark.parametrize("first", FIRST, ids=[step for _, step in FIRST])
def test_two_removals_at_once(
    shop: Shop, clock: Clock, database_url: str, tmp_path: Path, first: tuple[Removal, str], killed: bool
) -> None:
    kept = shop.checkpoints()
    visitor = identifier(shop.made[2].visitor)
    go_on, (reached, told) = PROCESSES.Event(), PROCESSES.Pipe(duplex=False)
    other = start(remove_and_stop, *first, visitor, database_url, tmp_path, clock, told, go_on)
    try:
        assert reached.poll(20), "The process ended before it came so far."
        with ThreadPoolExecutor(1) as pool:
            erased: Future[int] = pool.submit(shop.erase, shop.made[1])
            until(lambda: erased.done() or waits(shop))
            if killed:
                other.kill()
            else:
                go_on.set()
            other.join(60)
        assert erased.result() == (0 if first[0] is retention and not killed else 1)
        assert other.exitcode == (-9 if killed else 0)
    finally:
        other.kill()
        other.join()
    erasure(shop.services, clock, visitor)
    shop.seal()
    assert all(before[1] < after[0] for before, after in pairwise(ranges(shop)))
    report = shop.check(*kept)
    assert (report.faults, report.counts["removed"]) == ([], 4 if first[0] is retention and not killed else 2)
    assert shop.verify(*kept).code == 0
