"""One commit shared by all the requests that wait for one at the same moment."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from consent_server.core.database import Database
from consent_server.core.errors import StorageUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Session, Sequence[Item]], Sequence[Result]]

# Seconds that a commit waits for requests that are being prepared. Alone, a request never waits.
PATIENCE = 0.002


class GroupCommit(Generic[Item, Result]):
    """Run `work` on items in shared transactions; each caller is answered after its own item is durable.

    A commit costs one sync of the disk, however many rows it holds: whoever comes while one commit is
    under way shares the next. A batch that fails is run again item by item, so that a bad item harms
    nobody else.

    PostgreSQL shares syncs among its connections by itself; there it is the round trips and the work of a
    transaction that are shared, which measures as twice the decisions a second.
    """

    def __init__(self, database: Database, work: Work[Item, Result]) -> None:
        self._database = database
        self._work = work
        # Guards the three below. At most one caller leads; the others wait for it or to be the next.
        self._mutex = threading.Condition()
        self._waiting: list[_Waiter[Item, Result]] = []
        self._coming = 0
        self._led = False

    def __call__(self, prepare: Callable[[], Item]) -> Result:
        """Run one item and return its result after the commit, or raise what it or `prepare` raised."""
        with self._mutex:
            self._coming += 1
        try:
            waiter = _Waiter[Item, Result](prepare())
        except BaseException:
            with self._mutex:
                self._settle()
            raise
        with self._mutex:
            self._waiting.append(waiter)
            self._settle()
            waiter.leads = not self._led
            self._led = True
        if not waiter.leads:
            waiter.woken.acquire()
        if not waiter.done:
            self._lead()
        return waiter.result()

    def _settle(self) -> None:
        self._coming -= 1
        if not self._coming:
            self._mutex.notify_all()

    def _lead(self) -> None:
        with self._mutex:
            # Those who are about to join cost less in this commit than in one of their own.
            self._mutex.wait_for(lambda: not self._coming, timeout=PATIENCE)
            batch, self._waiting = self._waiting, []
        try:
            self._run(batch)
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        # Who came meanwhile leads the next commit, so that nobody commits on after being answered.
        with self._mutex:
            self._led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].woken.release()

    def _run(self, batch: "list[_Waiter[Item, Result]]") -> None:
        try:
            with self._database.transaction() as session:
                results = self._work(session, [waiter.item for waiter in batch])
        except BaseException as error:
            # A database that is away is away for each of them: asking again one by one only takes longer.
            # Whoever ends this thread ends nobody else's wait.
            if len(batch) > 1 and isinstance(error, Exception) and not isinstance(error, StorageUnavailable):
                for waiter in batch:
                    self._run([waiter])
            else:
                for waiter in batch:
                    waiter.finish(error=error)
            return
        for waiter, result in zip(batch, results, strict=True):
            waiter.finish(result)


class _Waiter(Generic[Item, Result]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self.leads = False
        # Taken from the start: a bare lock wakes one thread at a fraction of what an Event costs.
        self.woken = threading.Lock()
        self.woken.acquire()
        self._result: Result | None = None
        self._error: BaseException | None = None

    def finish(self, result: Result | None = None, error: BaseException | None = None) -> None:
        self._result, self._error, self.done = result, error, True
        if not self.leads:
            self.woken.release()

    def result(self) -> Result:
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]
