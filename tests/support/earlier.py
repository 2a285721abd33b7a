"""A server of the version before contents were encrypted, on the same database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from consent_server.core.context import Context
from consent_server.core.database import Session
from consent_server.decisions import store as decisions
from consent_server.decisions.supply_keys import KeySupply


@contextmanager
def earlier_version() -> Iterator[None]:
    """Decisions are recorded in the clear meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decisions, "append", _append)
        yield


def upgrade(services: Context) -> None:
    """As the migration leaves a database that has records."""
    with services.database.transaction() as session:
        session.execute(text("UPDATE encryption SET ended = false, rewritten = false"))


def _append(session: Session, rows: Sequence[dict[str, Any]], _: KeySupply) -> set[UUID]:
    session.connection().execute(insert(decisions.TABLE), list(rows))
    return {row["receipt_id"] for row in rows}
