"""How long a backup and a restore take, and how long a visitor waits meanwhile."""

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
from bench.records import fill, make_ledger
from consent_server.backup.back_up import back_up
from consent_server.backup.restore import open_backup, restore
from consent_server.core.context import Context
from consent_server.decisions.record import RecordDecision
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_visit import Visit
from consent_server.ledger.seal import seal_ledger
from consent_server.sites.current_site import CurrentSites
from tests.support.factories import answer

MIB = 1 << 20


def main() -> None:
    """Fill, seal, back up while somebody records, restore."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consent-bench-") as folder:
        measure(Path(folder), options.records)


def measure(folder: Path, records: int) -> None:
    ledger = make_ledger(folder)
    fill(ledger, records)
    our = ledger.services
    seal_ledger(our.database, our.keys.ring, our.now)
    our.database.close()
    database, file, plain = folder / "consent.sqlite3", folder / "consent.backup", folder / "plain"
    size = database.stat().st_size
    copied = seconds(lambda: shutil.copy(database, plain))
    plain.unlink()
    with Visitor(our) as visitor:
        backed_up = seconds(lambda: back_up(our.settings, our.keys, our.now(), file, False))
    our.database.close()
    with open_backup(our.settings, our.keys, [migration_of(our)], file) as examined:
        restored = seconds(lambda: restore(our.settings, our.keys, examined, our.now()))
    looked = seconds(lambda: look(our, file))
    print("| records | MiB | plain copy, s | backup, s | longest decision meanwhile, s | look, s | put in place, s |")
    print(f"|{'---:|' * 7}")
    cells = [f"{size / MIB:,.0f}", *(f"{one:.2f}" for one in (copied, backed_up, visitor.longest, looked, restored))]
    print(f"| {records:,} | {' | '.join(cells)} |")
    print(f"{visitor.recorded} decisions were recorded during the backup, median {visitor.median * 1000:.1f} ms")


def look(our: Context, file: Path) -> None:
    with open_backup(our.settings, our.keys, [migration_of(our)], file):
        pass


def migration_of(our: Context) -> str:
    with our.database.reading() as session:
        found = session.connection().exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    our.database.close()
    return str(found)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Visitor:
    """Records decisions, one after the other, until it is told to stop."""

    def __init__(self, our: Context) -> None:
        self._our, self._over, self._times = our, threading.Event(), list[float]()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Visitor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def recorded(self) -> int:
        return len(self._times)

    @property
    def longest(self) -> float:
        return max(self._times, default=0)

    @property
    def median(self) -> float:
        return sorted(self._times)[len(self._times) // 2] if self._times else 0

    def _run(self) -> None:
        current = self._our[CurrentSites].get("shop")
        grants = dict.fromkeys(current.notice.purposes, True)
        while not self._over.is_set():
            said = answer(current.notice, decision_id=uuid4(), action=Action.ACCEPT_ALL, grants=grants)
            self._times.append(seconds(lambda said=said: self._our[RecordDecision](current, said, Visit())))


if __name__ == "__main__":
    main()
