"""How often one network may post. Addresses are hashed with the server's key and never kept beyond a window."""

import logging
import re
import time
from collections.abc import Callable
from functools import wraps
from ipaddress import IPv6Address, IPv6Network
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
# Whoever has an IPv6 network of one subscriber (RFC 6177: a /64 to a /48) can send from each address in it. A /48 may
# hold an office or a town, so it may send so many times what one /64 may.
WIDER = 8
WITH_PORT = re.compile(r"\[(?P<bracketed>[^]]*)\](:[0-9]+)?|(?P<bare>[0-9.]+):[0-9]+")


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

    def __init__(self, limit: str, storage_url: str, times: int = 1) -> None:
        item = parse(limit)
        self._item: RateLimitItem = type(item)(item.amount * times, item.multiples)
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
    """One limit on whatever a caller is told apart by: its network, unless a view names something else."""

    def __init__(self, limit: str, storage_url: str, what: str = "", said: str = "came from this address") -> None:
        self._counter = Counter(limit, storage_url)
        self._wider = Counter(limit, storage_url, WIDER)
        self._what, self._said = what, said

    def spend(self, name: str | None = None) -> None:
        """Raises TooManyRequests."""
        if name is not None:
            self._spend(self._counter, name)
            return
        network, around = networks(request.remote_addr or "")
        self._spend(self._counter, network)
        if around:
            self._spend(self._wider, around)

    def _spend(self, counter: Counter, caller: str) -> None:
        ends_at = counter.spent_until(context().signer("rate-limit").digest(self._what + caller).hex())
        if ends_at is not None:
            seconds = max(1, round(ends_at - time.time()))
            raise TooManyRequests(f"More than {counter} {self._said}. Try again later.", seconds)


def networks(address: str) -> tuple[str, str]:
    """The network that an address stands for, and the one around it: of IPv4 itself and "", of IPv6 its /64 and /48."""
    if ":" not in address:
        return address, ""
    # Some proxies name the port too, another one for each connection.
    if named := WITH_PORT.fullmatch(address):
        address = named["bracketed"] or named["bare"]
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address, ""
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped), ""
    return str(IPv6Network((parsed, 64), strict=False)), str(IPv6Network((parsed, 48), strict=False))


# Attempts to sign in by what they are counted by, and how that is said. A guesser spends the first two, and keeps
# nobody out who comes from elsewhere. One with many networks spends the next two, and keeps nobody out whose browser is
# known (OWASP, Device Cookies). Unknown browsers together cannot eat the processor by Argon2.
ACCOUNT = "were tried on this account"
SIGN_IN_LIMITS = {
    "address": ("30 per 15 minute", "came from this address"),
    "guess": ("10 per 15 minute", ACCOUNT),
    "account": ("100 per 15 minute", ACCOUNT),
    "everybody": ("300 per minute", "were tried on this server"),
    "browser": ("10 per 15 minute", ACCOUNT),
    "code": ("10 per 15 minute", ACCOUNT),
    "provider": ("60 per 15 minute", "came from this address"),
    "reset": ("10 per 15 minute", "came from this address"),
    "reset account": ("3 per hour", "were asked for this account"),
}


def init_app(app: Flask) -> None:
    """Make the limits of this application."""
    settings = context().settings
    app.extensions["rate_limit"] = RateLimit(settings.rate_limit, settings.rate_limit_url)
    app.extensions["site_limit"] = settings.site_rate_limit and RateLimit(
        settings.site_rate_limit, settings.rate_limit_url, "site ", "were posted to this site"
    )
    app.extensions["sign_in_limits"] = {
        what: RateLimit(limit, settings.rate_limit_url, f"sign-in {what} ", said)
        for what, (limit, said) in SIGN_IN_LIMITS.items()
    }


def spend_sign_in(email: str, browser: str) -> None:
    """Count an attempt to sign in, before anything is checked. Raises TooManyRequests.

    `browser` names one in which this account was signed in before, "" for any other.
    """
    limits: dict[str, RateLimit] = current_app.extensions["sign_in_limits"]
    if browser:
        limits["browser"].spend(browser)
        return
    email = email_or_as_given(email)
    # The narrow ones first: what these stop takes nothing from those that are everybody's.
    limits["address"].spend()
    limits["guess"].spend(f"{networks(request.remote_addr or '')[0]} {email}")
    limits["account"].spend(email)
    limits["everybody"].spend("")


def spend_code(user_id: int) -> None:
    """Count a code that was given for an account, by who knew its password. Raises TooManyRequests."""
    current_app.extensions["sign_in_limits"]["code"].spend(str(user_id))


def spend_provider() -> None:
    """Count a step on the way to the provider or back: each has this server ask it. Raises TooManyRequests."""
    limits: dict[str, RateLimit] = current_app.extensions["sign_in_limits"]
    limits["provider"].spend()
    limits["everybody"].spend("")


def spend_reset(email: str) -> None:
    """Count who asks for a new password, whoever has the address. Raises TooManyRequests."""
    limits: dict[str, RateLimit] = current_app.extensions["sign_in_limits"]
    limits["reset"].spend()
    limits["reset account"].spend(email_or_as_given(email))


def within_limit() -> bool:
    """Count once more, where too many are not refused but no longer counted."""
    try:
        current_app.extensions["rate_limit"].spend()
    except TooManyRequests:
        return False
    return True


def limited(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view answer only while its caller, and the site where the settings say so, is within the limit."""

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        current_app.extensions["rate_limit"].spend()
        ceiling: RateLimit | None = current_app.extensions["site_limit"]
        # After the network's own limit: what that stops takes nothing from the site's visitors.
        if ceiling and "key" in kwargs:
            ceiling.spend(str(kwargs["key"]))
        return view(*args, **kwargs)

    return wrapper
