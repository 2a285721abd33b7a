"""One commit shared by all the requests that wait for one at the same moment."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from consent_server.domain.errors import StorageUnavailable
from consent_server.storage.session import Database

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Session, Sequence[Item]], Sequence[Result]]


class GroupCommit(Generic[Item, Result]):
    """Run `work` on items in shared transactions; each caller is answered after its own item is durable.

    A commit costs one sync of the disk, however many rows it holds: whoever comes while one commit is
    under way shares the next. A batch that fails is run again item by item, so that a bad item harms
    nobody else.

    PostgreSQL groups the commits of its connections itself, so there each item is a transaction of its own.
    """

    def __init__(self, database: Database, work: Work[Item, Result], limit: int = 64) -> None:
        self._database = database
        self._work = work
        self._limit = limit if database.embedded else 1
        self._waiting: deque[_Waiter[Item, Result]] = deque()
        self._lead = threading.Lock()

    def __call__(self, item: Item) -> Result:
        """Run one item and return its result after the commit, or raise what it raised."""
        waiter: _Waiter[Item, Result] = _Waiter(item)
        if self._limit == 1:
            self._run([waiter])
            return waiter.result()
        self._waiting.append(waiter)
        # Whoever gets the lock commits for all that wait; those who get it later find their work done.
        with self._lead:
            while not waiter.done:
                self._run([self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))])
        return waiter.result()

    def _run(self, batch: "list[_Waiter[Item, Result]]") -> None:
        try:
            with self._database.transaction() as session:
                results = self._work(session, [waiter.item for waiter in batch])
            for waiter, result in zip(batch, results, strict=True):
                waiter.succeed(result)
        except Exception as error:
            # A database that is away is away for each of them: asking again one by one only takes longer.
            if len(batch) > 1 and not isinstance(error, StorageUnavailable):
                for waiter in batch:
                    self._run([waiter])
            else:
                for waiter in batch:
                    waiter.fail(error)


class _Waiter(Generic[Item, Result]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self._result: Result | None = None
        self._error: Exception | None = None

    def succeed(self, result: Result) -> None:
        self._result, self.done = result, True

    def fail(self, error: Exception) -> None:
        self._error, self.done = error, True

    def result(self) -> Result:
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]
