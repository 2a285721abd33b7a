"""Processes of their own that seal and record, as workers of a server do, until somebody kills them."""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.decisions import store as decisions
from consent_server.decisions.supply_keys import KeySupply
from consent_server.ledger import seal as sealing
from consent_server.ledger import store_sealing as ledgers
from consent_server.ledger.seal import seal_ledger
from tests.support.factories import Clock, settings_for
from tests.support.ledger_shop import Shop

# Its children have imported the product already, and inherit nothing of the tests' own connections.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])

# Where a sealing process can die: after which call of which function.
STEPS: dict[str, tuple[Any, str, int]] = {
    "has waited for what is being recorded": (sealing, "settled_decision", 1),
    "has the lease": (ledgers, "take_turns", 1),
    "has read the records": (ledgers, "new_decisions", 1),
    "has numbered the leaves": (ledgers, "append_leaves", 1),
    "has stored the tiles": (ledgers, "store_tiles", 1),
    "has written the checkpoint": (ledgers, "seal", 1),
    "has committed the first batch": (Session, "commit", 2),
    "has numbered the leaves of the second batch": (ledgers, "append_leaves", 2),
    "has written the second checkpoint": (ledgers, "seal", 2),
}


def start(work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """A process at work."""
    process = PROCESSES.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def seal_and_stop(database_url: str, instance: Path, clock: Clock, step: str, reached: Connection) -> None:
    """Seal three records at a time, say when a step is done, and go no further."""
    owner, name, wanted = STEPS[step]
    original, calls = getattr(owner, name), 0

    def stopping(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        result = original(*arguments, **options)
        calls += 1
        if calls == wanted:
            reached.send(step)
            while True:
                signal.pause()
        return result

    services = _services(database_url, instance, clock)
    sealing.BATCH = 3
    setattr(owner, name, stopping)
    seal_ledger(services.database, services.keys.ring, clock)


def seal_until(database_url: str, instance: Path, clock: Clock, ready: Connection, over: Event) -> None:
    """Seal again and again, and once more at the end."""
    services = _services(database_url, instance, clock)
    sealing.BATCH = 20
    ready.send("sealing")
    while not over.is_set():
        seal_ledger(services.database, services.keys.ring, clock)
    seal_ledger(services.database, services.keys.ring, clock)
    services.database.engine.dispose()


def record(database_url: str, instance: Path, clock: Clock, count: int) -> None:
    """Record so many decisions, each durable before the next."""
    services = _services(database_url, instance, clock)
    shop = Shop(services, clock, instance)
    for _ in range(count):
        shop.decide()
    services.database.engine.dispose()


def record_slowly(database_url: str, instance: Path, clock: Clock, reached: Connection, go_on: Event) -> None:
    """Record a decision; say when it is written, and commit it when told to."""
    append = decisions.append

    def slow(session: Session, rows: Sequence[dict[str, Any]], keys: KeySupply) -> set[UUID]:
        new = append(session, rows, keys)
        reached.send("written")
        go_on.wait()
        return new

    decisions.append = slow
    record(database_url, instance, clock, 1)


def _services(database_url: str, instance: Path, clock: Clock) -> Context:
    services: Context = create_app(settings_for(instance, database_url), now=clock).extensions["consent"]
    return services
