"""A process of its own that removes records, and stops midway until it may go on or somebody kills it."""

from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from uuid import UUID

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.ledger import store as ledgers
from consent_server.receipts.erase_visitor import erase_visitor
from consent_server.receipts.run_retention import run_retention
from tests.support.factories import PUBLIC_URL, Clock, settings_for

Removal = Callable[[Context, Clock, UUID], object]


def erasure(our: Context, clock: Clock, visitor: UUID) -> None:
    """As the operator does when a visitor asks for it."""
    erase_visitor(our.database, our.keys, PUBLIC_URL, clock, our.random, visitor)


def retention(our: Context, clock: Clock, _visitor: UUID) -> None:
    """As a timer does every day."""
    list(run_retention(our.database, our.keys, PUBLIC_URL, clock, our.random))


def remove_and_stop(
    removal: Removal, step: str, visitor: UUID, database_url: str, instance: Path, clock: Clock, reached: Connection,
    go_on: Event,
) -> None:  # fmt: skip
    """Remove; when something of the ledger's storage was called and gave something, say so and wait."""
    original = getattr(ledgers, step)

    def stopping(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        if not result:
            return result
        setattr(ledgers, step, original)
        reached.send(step)
        go_on.wait()
        return result

    setattr(ledgers, step, stopping)
    services: Context = create_app(settings_for(instance, database_url), now=clock).extensions["consent"]
    removal(services, clock, visitor)
    services.database.engine.dispose()
