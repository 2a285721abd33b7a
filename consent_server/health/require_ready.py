"""Whether this server can record: asked of the database, for a moment, by one request for all."""

import threading
import time
from collections.abc import Callable

from consent_server.core.database import VISITOR, Database
from consent_server.core.errors import StorageUnavailable
from consent_server.core.migrations import require_migrated
from consent_server.health import store

# Seconds for which an answer stands, and for which a decision that could not be recorded counts.
STANDS, LATELY = 1.0, 2.0


class Readiness:
    """Writes and takes it back. Asked often, it costs the database one small commit a second, and nobody waits long."""

    def __init__(self, database: Database, failing: Callable[[float], bool]) -> None:
        self._database = database
        self._failing = failing
        self._mutex = threading.Lock()
        self._asked_at = float("-inf")
        self._answer: str | StorageUnavailable = StorageUnavailable("The server has just started. Ask again.")

    def require(self) -> str:
        """The newest migration, which is applied. Raises StorageUnavailable when a decision could not be recorded."""
        # Who comes while another one asks is answered as the last one was.
        if time.monotonic() - self._asked_at >= STANDS and self._mutex.acquire(blocking=False):
            try:
                self._answer = self._ask()
                self._asked_at = time.monotonic()
            finally:
                self._mutex.release()
        if isinstance(self._answer, StorageUnavailable):
            raise StorageUnavailable(self._answer.detail)
        if self._failing(LATELY):
            raise StorageUnavailable("The last decision could not be recorded.")
        return self._answer

    def _ask(self) -> str | StorageUnavailable:
        try:
            applied = require_migrated(self._database)
            with self._database.transaction(VISITOR) as session:
                store.write_and_take_back(session)
        except StorageUnavailable as refusal:
            return refusal
        return applied or ""
