"""One spelling of an origin: the one that browsers send (WHATWG URL, RFC 6454, section 6.2)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from consent_server.core.rules_address import read_host

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
DEFAULT_PORTS = {"https": 443, "http": 80}
LONGEST_ORIGIN = 300
FORM = "an origin is https://host, with :port where it is not 443"


@dataclass(frozen=True, slots=True)
class Reading:
    """An address of a site file that is used in another spelling than it was given in, and its place."""

    place: str
    given: str
    used: str


# Each decision asks it of a few origins, four times. What is refused is not kept, so that nothing long is.
@lru_cache(maxsize=1024)
def read_origin(given: str) -> str:
    """The origin as a browser sends it; a loopback host may have the port `*`. Raises ValueError with the reason."""
    if len(given) > LONGEST_ORIGIN:
        raise ValueError(f"has more than {LONGEST_ORIGIN} characters")
    scheme, separator, rest = given.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in DEFAULT_PORTS:
        raise ValueError(f'"{given}" is not of https; {FORM}')
    if unexpected := re.search(r"[/?#@\\]", rest):
        raise ValueError(f'"{given}" has "{unexpected[0]}" after its host; {FORM}')
    host, port = _parted(rest)
    host = read_host(host)
    if scheme == "http" and host not in LOOPBACK:
        raise ValueError(f'"{given}" is not of https, and only {", ".join(LOOPBACK)} may do without')
    return f"{scheme}://{host}{_port(port, scheme, host)}"


def _parted(rest: str) -> tuple[str, str]:
    if rest.startswith("["):
        host, bracket, port = rest.partition("]")
        return host + bracket, port
    host, colon, port = rest.partition(":")
    return host, colon + port


def _port(written: str, scheme: str, host: str) -> str:
    if written in ("", ":"):
        return ""
    if written == ":*":
        if host not in LOOPBACK:
            raise ValueError(f'only {", ".join(LOOPBACK)} may have the port "*"')
        return written
    if not re.fullmatch(r":[0-9]{1,9}", written) or not 1 <= int(written[1:]) <= 65535:
        raise ValueError(f'"{written[1:]}" is not a port; 1 to 65535 are')
    port = int(written[1:])
    return "" if port == DEFAULT_PORTS[scheme] else f":{port}"


def host_of(origin: str) -> str:
    """The host of an origin that read_origin gave."""
    return _parted(origin.partition("://")[2])[0]


def is_loopback(origin: str) -> bool:
    """Whether an origin that read_origin gave is of this machine alone."""
    return host_of(origin) in LOOPBACK


def as_sent(origin: str) -> str:
    """The origin as a browser sends it, or as it is where it is none."""
    try:
        return read_origin(origin)
    except ValueError:
        return origin


def origin_of(url: str) -> str:
    """The origin of an address (RFC 6454, ASCII serialization), as a browser sends it."""
    parts = urlsplit(url)
    return as_sent(f"{parts.scheme}://{parts.netloc}")


def origin_matches(origin: str, allowed: Sequence[str]) -> bool:
    """Exact match, or any port where the pattern is a loopback host with port `*`."""
    if origin in allowed:
        return not origin.endswith("*")
    prefix, _, port = origin.rpartition(":")
    return f"{origin}:*" in allowed or (port.isascii() and port.isdigit() and f"{prefix}:*" in allowed)
