"""How often one address may post. Addresses are hashed with the server's key and never kept beyond a window."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from consent_server.core.context import context
from consent_server.core.errors import TooManyRequests
from consent_server.core.rules_email import email_or_as_given

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger("consent_server.rate_limit")

# A visitor's decision waits for a count no longer than this, in seconds, and then not again for a while.
PATIENCE, ASK_AGAIN_AFTER = 0.25, 5.0


class ProcessStorage(Storage):
    """Counters of this process, dropped as a whole when their window ends.

    The library's own memory storage starts a thread every few milliseconds to expire its keys, which costs
    more than recording a decision.
    """

    STORAGE_SCHEME = ["process"]  # noqa: RUF012  the library's name and type
    URL = "process://"

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._counts: dict[str, int] = {}
        self._ends_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """None of ours can fail."""
        return RuntimeError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, in the window that is open now."""
        now = time.monotonic()
        if now >= self._ends_at:
            self._counts, self._ends_at = {}, now + expiry
        self._counts[key] = count = self._counts.get(key, 0) + amount
        return count

    def get(self, key: str) -> int:
        """The count of a key."""
        return self._counts.get(key, 0)

    def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since 1970."""
        return time.time() + max(0.0, self._ends_at - time.monotonic())

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int | None:
        """Forget all counts; return how many there were."""
        count = len(self._counts)
        self._counts = {}
        return count

    def clear(self, key: str) -> None:
        """Forget one count."""
        self._counts.pop(key, None)


class Counter:
    """Counts what may happen so often: in the storage that the settings name, else in this process by itself.

    While Redis is away no decision is lost for want of a count, and nobody guesses passwords without limit:
    each process counts alone, so that the limit is at most as many times higher as there are processes.
    """

    def __init__(self, limit: str, storage_url: str) -> None:
        self._item: RateLimitItem = parse(limit)
        self._alone = FixedWindowRateLimiter(ProcessStorage())
        self._shared = _redis(storage_url) if storage_url != ProcessStorage.URL else None
        self._ask_again_at = 0.0

    def __str__(self) -> str:
        return str(self._item)

    def spent_until(self, key: str) -> float | None:
        """Count once more. None while the key is within the limit, else when its window ends (seconds since 1970)."""
        if self._shared is not None and time.monotonic() >= self._ask_again_at:
            try:
                return self._count(self._shared, key)
            except StorageError as error:
                self._ask_again_at = time.monotonic() + ASK_AGAIN_AFTER
                log.warning("Redis is away, each process counts by itself: %s", error.storage_error)
        return self._count(self._alone, key)

    def _count(self, window: FixedWindowRateLimiter, key: str) -> float | None:
        return None if window.hit(self._item, key) else window.get_window_stats(self._item, key).reset_time


def _redis(url: str) -> FixedWindowRateLimiter:
    retry: Any = Retry(NoBackoff(), 0)
    options = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, "retry": retry}
    return FixedWindowRateLimiter(storage_from_string(url, wrap_exceptions=True, **options))


class RateLimit:
    """One limit on whatever a caller is told apart by: its address, unless a view names something else."""

    def __init__(self, limit: str, storage_url: str, of_what: str = "") -> None:
        self._counter = Counter(limit, storage_url)
        self._of_what = of_what

    def spend(self, name: str | None = None) -> None:
        """Raises TooManyRequests."""
        caller = (request.remote_addr or "") if name is None else name
        ends_at = self._counter.spent_until(context().signer("rate-limit").digest(self._of_what + caller).hex())
        if ends_at is not None:
            whom = "came from this address. Send it" if name is None else "were tried on this account. Try"
            raise TooManyRequests(
                f"More than {self._counter} {whom} again later.", max(1, round(ends_at - time.time()))
            )


# Attempts to sign in: few on one account, more from one address, behind which a whole office may sit.
SIGN_IN_LIMITS = {"account": "10 per 15 minute", "address": "30 per 15 minute"}


def init_app(app: Flask) -> None:
    """Make the limits of this application."""
    settings = context().settings
    app.extensions["rate_limit"] = RateLimit(settings.rate_limit, settings.rate_limit_url)
    app.extensions["sign_in_limits"] = {
        what: RateLimit(limit, settings.rate_limit_url, f"sign-in {what} ") for what, limit in SIGN_IN_LIMITS.items()
    }


def spend_sign_in(email: str) -> None:
    """Count an attempt to sign in, before anything is checked. Raises TooManyRequests."""
    limits: dict[str, RateLimit] = current_app.extensions["sign_in_limits"]
    limits["address"].spend()
    limits["account"].spend(email_or_as_given(email))


def limited(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view answer only while its caller is within the limit."""

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        current_app.extensions["rate_limit"].spend()
        return view(*args, **kwargs)

    return wrapper
