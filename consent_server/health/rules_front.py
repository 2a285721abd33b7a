"""What the web server in front should say of a request, and what it means when it says something else."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

WRITES = "let the web server in front write the header anew, as the files in deploy/ do"


@dataclass(frozen=True, slots=True)
class Seen:
    """How a request came, as the server sees it that was asked.

    `addresses` are those in X-Forwarded-For, `kept` whether the one is among them that the visitor made up, and
    `believed` whether that one was taken for the visitor's.
    """

    scheme: str
    host: str
    prefix: str
    addresses: int
    kept: bool
    believed: bool


def front_faults(address: str, trusted: int, seen: Seen) -> Iterator[str]:
    """What is wrong with a request that was sent to this address, one sentence each, with its mend."""
    parts = urlsplit(address)
    yield from _address_faults(trusted, seen)
    if seen.scheme != parts.scheme:
        yield f"It was asked by {parts.scheme}, and is told {seen.scheme} (X-Forwarded-Proto): {WRITES}."
    if _place(parts.scheme, seen.host) != _place(parts.scheme, parts.netloc):
        yield f"It was asked at {parts.netloc}, and is told {seen.host} (X-Forwarded-Host): {WRITES}."
    if seen.prefix != parts.path:
        said = f"It was asked below {parts.path or '/'}, and is told {seen.prefix or '/'} (X-Forwarded-Prefix)"
        yield f"{said}: {WRITES}, or its address in the settings is another one."


def _place(scheme: str, host: str) -> tuple[str | None, int]:
    """Host and port, with the one that is left out."""
    parts = urlsplit(f"{scheme}://{host}")
    try:
        return parts.hostname, parts.port or {"http": 80}.get(scheme, 443)
    except ValueError:
        return host, 0


def _address_faults(trusted: int, seen: Seen) -> Iterator[str]:
    proxies = seen.addresses - seen.kept
    if not proxies:
        yield f"No proxy says who asks (X-Forwarded-For), so that all visitors share one rate limit: {WRITES}."
    elif seen.believed:
        said = "Visitors choose for themselves the address by which their posts are limited"
        yield f"{said}: CONSENT_TRUSTED_PROXIES is {trusted}, and {_added(proxies)}. Set {proxies}."
    elif proxies < trusted:
        said = f"CONSENT_TRUSTED_PROXIES is {trusted}, and {_added(proxies)}"
        yield f"{said}. So none is believed, and all visitors share one rate limit. Set {proxies}."
    elif proxies > trusted:
        said = f"CONSENT_TRUSTED_PROXIES is {trusted}, and {_added(proxies)}"
        yield f"{said}. So one of them is taken for the visitor: have the last one write who asks (docs/servers.md)."


def _added(proxies: int) -> str:
    return "one proxy adds who asks" if proxies == 1 else f"{proxies} proxies add who asks"
