"""On PostgreSQL sealing waits for records that are being written, and nobody waits for sealing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from consent_server.core.errors import StorageUnavailable
from consent_server.ledger import store_settled as settled
from tests.support import sealing_worker as worker
from tests.support.factories import Clock
from tests.support.ledger_shop import Shop
from tests.support.postgresql import PostgreSQL
from tests.support.sealed import holds_all, records

pytestmark = [pytest.mark.parametrize("dialect", ["postgresql"]), pytest.mark.slow]


class Slow:
    """A process that has written a record, with the lowest id that is new, and has not committed it."""

    def __init__(self, database_url: str, folder: Path, clock: Clock) -> None:
        self.go_on, (reached, told) = worker.PROCESSES.Event(), worker.PROCESSES.Pipe(duplex=False)
        self.process = worker.start(worker.record_slowly, database_url, folder, clock, told, self.go_on)
        assert reached.poll(20)

    def end(self) -> None:
        """Let it commit."""
        self.go_on.set()
        self.process.join(20)
        assert self.process.exitcode == 0

    def kill(self) -> None:
        """Let it die."""
        self.process.kill()
        self.process.join()


@pytest.fixture
def slow(shop: Shop, clock: Clock, database_url: str, tmp_path: Path) -> Iterator[Slow]:
    found = Slow(database_url, tmp_path, clock)
    yield found
    found.kill()


@pytest.mark.parametrize("killed", [False, True], ids=["commits", "is killed"])
def test_a_slow_record_is_waited_for_and_holds_nobody_up(
    shop: Shop, slow: Slow, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settled, "PATIENCE", 60)
    seen = shop.checkpoints()
    shop.decide()
    with ThreadPoolExecutor(1) as pool:
        sealing = pool.submit(shop.seal)
        for _ in range(3):
            shop.decide()
        assert not sealing.done(), "The sealer waits; who decided did not wait for it."
        if killed:
            slow.kill()
        else:
            slow.end()
        sealing.result()
    shop.seal()
    assert records(shop) == 4 + 4 + (0 if killed else 1)
    holds_all(shop, *seen, *shop.checkpoints())


def test_a_record_that_takes_too_long_is_sealed_later(shop: Shop, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "PATIENCE", 0.1)
    seen = shop.checkpoints()
    shop.decide()
    with pytest.raises(StorageUnavailable, match="has not ended"):
        shop.seal()
    assert shop.checkpoints() == seen
    slow.end()
    shop.seal()
    assert records(shop) == 6
    holds_all(shop, *seen)


def test_it_is_said_who_holds_sealing_up(shop: Shop, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "PATIENCE", 0.1)
    shop.decide()
    name = f"host={postgresql.folder} user=consent dbname=consent application_name='their script'"
    with psycopg.connect(name) as other:
        other.execute("DELETE FROM decisions WHERE false")
        pid = other.info.backend_pid
        said = rf"pid {pid} \(their script, idle in transaction\).*pg_terminate_backend\({pid}\)"
        with pytest.raises(StorageUnavailable, match=said):
            shop.seal()
    shop.seal()
    assert records(shop) == 5


def test_what_is_left_in_a_transaction_of_ours_ends_by_itself(shop: Shop) -> None:
    def stand_still() -> None:
        with shop.services.database.transaction() as session:
            # As set for every session, only sooner.
            assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "30s"
            session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '300ms'"))
            session.execute(text("DELETE FROM decisions WHERE false"))
            shop.seal()
            session.execute(text("SELECT 1"))

    shop.decide()
    with pytest.raises(StorageUnavailable):
        stand_still()
    assert records(shop) == 5


def test_neither_sealing_nor_visitors_wait_for_a_vacuum(shop: Shop) -> None:
    seen = shop.checkpoints()
    with shop.services.database.engine.connect() as vacuum:
        # The lock that VACUUM and ANALYZE hold while they work.
        vacuum.execute(text("LOCK TABLE decisions IN SHARE UPDATE EXCLUSIVE MODE"))
        shop.decide()
        shop.seal()
        shop.decide()
        shop.seal()
    assert len(shop.checkpoints()) == len(seen) + 2
    holds_all(shop, *seen)
