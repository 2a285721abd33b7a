"""One commit shared by all the requests that wait for one at the same moment."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from consent_server.core.database import VISITOR, Database
from consent_server.core.errors import StorageUnavailable
from consent_server.core.measures import COMMIT_WAIT, measure

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Session, Sequence[Item]], Sequence[Result]]

# Seconds that a commit waits for requests that are being prepared. Alone, a request never waits.
GATHER = 0.002
# A leader whose transaction is older is in trouble: behind it so many wait for the next, and nobody else joins them.
SLOW, BEHIND_SLOW = 0.5, 3
# After a commit failed everybody is refused for so long. Then one at a time tries, until one succeeds.
REST = 0.5


class GroupCommit(Generic[Item, Result]):
    """Run `work` on items in shared transactions; each caller is answered after its own item is durable.

    A commit costs one sync of the disk, however many rows it holds: whoever comes while one commit is
    under way shares the next. A batch that fails is run again item by item, so that a bad item harms
    nobody else. A database that is away is away for all: whoever waits fails with the batch, and those who come
    are refused without waiting, so that no thread is held that could answer somebody else.

    PostgreSQL shares syncs among its connections by itself; there it is the round trips and the work of a
    transaction that are shared, which measures as twice the decisions a second.
    """

    def __init__(self, database: Database, work: Work[Item, Result]) -> None:
        self._database = database
        self._work = work
        # Guards all below. At most one caller leads; the others wait for it or to be the next.
        self._mutex = threading.Condition()
        self._waiting: list[_Waiter[Item, Result]] = []
        self._coming = 0
        self._led_since: float | None = None
        self._failed_at: float | None = None

    def __call__(self, prepare: Callable[[], Item]) -> Result:
        """Run one item and return its result after the commit, or raise what it or `prepare` raised."""
        with self._database.place():
            return self._commit(prepare)

    def _commit(self, prepare: Callable[[], Item]) -> Result:
        self._come()
        try:
            waiter = _Waiter[Item, Result](prepare())
            began = time.monotonic()
        except BaseException as error:
            with self._mutex:
                self._settle()
                if isinstance(error, StorageUnavailable):
                    self._failed_at = time.monotonic()
            raise
        with self._mutex:
            self._waiting.append(waiter)
            self._settle()
            waiter.leads = self._led_since is None
            if waiter.leads:
                self._led_since = time.monotonic()
        if not waiter.leads:
            waiter.woken.acquire()
        if not waiter.done:
            self._lead()
        measure(lambda: COMMIT_WAIT.observe(time.monotonic() - began))
        return waiter.result()

    def failing(self, lately: float) -> bool:
        """Whether the last commit failed, and that within so many seconds."""
        failed_at = self._failed_at
        return failed_at is not None and time.monotonic() - failed_at < lately

    def _come(self) -> None:
        with self._mutex:
            if self._failed_at is not None:
                resting = time.monotonic() - self._failed_at < REST
                if resting or self._coming or self._led_since is not None:
                    raise StorageUnavailable("The database does not answer; nothing was recorded. Send it again later.")
            elif self._is_slow() and len(self._waiting) + self._coming >= BEHIND_SLOW:
                raise StorageUnavailable("The database is slow; nothing was recorded. Send it again later.")
            self._coming += 1

    def _is_slow(self) -> bool:
        return self._led_since is not None and time.monotonic() - self._led_since > SLOW

    def _settle(self) -> None:
        self._coming -= 1
        if not self._coming:
            self._mutex.notify_all()

    def _lead(self) -> None:
        with self._mutex:
            # Those who are about to join cost less in this commit than in one of their own.
            self._mutex.wait_for(lambda: not self._coming, timeout=GATHER)
            batch, self._waiting = self._waiting, []
        try:
            self._run(batch)
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        # Who came meanwhile leads the next commit, so that nobody commits on after being answered.
        with self._mutex:
            self._led_since = time.monotonic() if self._waiting else None
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].woken.release()

    def _run(self, batch: "list[_Waiter[Item, Result]]") -> None:
        self._led_since = time.monotonic()
        try:
            with self._database.transaction(VISITOR) as session:
                results = self._work(session, [waiter.item for waiter in batch])
        except StorageUnavailable as error:
            self._fail(batch, error)
        except BaseException as error:
            # Whoever ends this thread ends nobody else's wait.
            if len(batch) > 1 and isinstance(error, Exception):
                self._run_apart(batch)
            else:
                for waiter in batch:
                    waiter.finish(error=error)
        else:
            self._failed_at = None
            for waiter, result in zip(batch, results, strict=True):
                waiter.finish(result)

    def _run_apart(self, batch: "list[_Waiter[Item, Result]]") -> None:
        for index, waiter in enumerate(batch):
            self._run([waiter])
            if isinstance(waiter.error, StorageUnavailable):
                self._fail(batch[index + 1 :], waiter.error)
                return

    def _fail(self, batch: "list[_Waiter[Item, Result]]", error: StorageUnavailable) -> None:
        with self._mutex:
            self._failed_at = time.monotonic()
            batch, self._waiting = batch + self._waiting, []
        for waiter in batch:
            waiter.finish(error=error)


class _Waiter(Generic[Item, Result]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self.leads = False
        self.error: BaseException | None = None
        # Taken from the start: a bare lock wakes one thread at a fraction of what an Event costs.
        self.woken = threading.Lock()
        self.woken.acquire()
        self._result: Result | None = None

    def finish(self, result: Result | None = None, error: BaseException | None = None) -> None:
        self._result, self.error, self.done = result, error, True
        if not self.leads:
            self.woken.release()

    def result(self) -> Result:
        if self.error is not None:
            raise self.error
        return self._result  # type: ignore[return-value]
