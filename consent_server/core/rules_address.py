"""Addresses that an operator gives: what is wrong with one, and one spelling of a host name (WHATWG URL, RFC 3986)."""

import ipaddress
import re
from urllib.parse import urlsplit

LABEL = re.compile(r"[a-z0-9-]{1,63}")
# Names of containers, which no browser is given, may have an underscore.
_INNER_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
LONGEST_HOST = 253
# Letters that IDNA 2003, which is what Python knows, writes in another way than browsers do (UTS 46, section 7).
DEVIATIONS = frozenset("ßẞς\u200c\u200d")
# All that an address is written with (RFC 3986, section 2), but the backslash and quotes that some take for others.
_UNWRITABLE = re.compile(r"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]")
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOTS = re.compile(r"/(\.|%2e){1,2}(/|$)", re.IGNORECASE)


def address_fault(url: str, query: bool = False) -> str | None:
    """What is wrong with an http or https address to which paths are added, or with `query` one that is asked as it is.

    None where nothing is. What it says repeats nothing after the host, nor a password: these may be secrets.
    """
    try:
        _check(url, query)
    except ValueError as error:
        return str(error)
    return None


def host_and_port(host: str, port: str | int) -> str:
    """Joined by a colon, an IPv6 address within brackets."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def _check(url: str, query: bool) -> None:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError("has no host that can be read") from error
    if parts.username is not None:
        raise ValueError("must not hold a user or a password: they would be shown to others")
    _check_host(parts.hostname or "", parts.netloc)
    _check_writing(url)
    if "#" in url:
        raise ValueError("must not have a fragment (#)")
    if "?" in url and not query:
        raise ValueError("must not have a query (?): paths are added to it")
    if _DOTS.search(parts.path):
        raise ValueError("must not have . or .. as a part of its path")


def _check_host(host: str, netloc: str) -> None:
    if not host:
        raise ValueError("names no host")
    spelt = read_host(f"[{host}]" if ":" in host else host, _INNER_LABEL)
    if not host.isascii():
        raise ValueError(f'must have its host as browsers send it, "{spelt}"')
    port = netloc.removesuffix("]").rpartition(":")[2] if ":" in netloc.rpartition("]")[2] else "1"
    if not re.fullmatch("[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError("has no valid port; 1 to 65535 are")


def _check_writing(url: str) -> None:
    if unwritable := _UNWRITABLE.search(url):
        encoded = "".join(f"%{byte:02X}" for byte in unwritable[0].encode("utf-8", "replace"))
        raise ValueError(f"must not hold {unwritable[0]!a}; in a path write it percent-encoded, {encoded}")
    if _BROKEN_PERCENT.search(url):
        raise ValueError("has a % that two hexadecimal digits do not follow; write it as %25")


def read_host(given: str, label: re.Pattern[str] = LABEL) -> str:
    """A host name in lower case, without the dot of the root, international labels as xn--…; an IP address as such.

    Raises ValueError with the reason.
    """
    if given.startswith("["):
        return _ipv6(given)
    if "*" in given:
        raise ValueError(f'"{given}" has a wildcard: name each host')
    host = _ascii(given).lower().removesuffix(".")
    labels = host.split(".")
    if not all(map(label.fullmatch, labels)) or len(host) > LONGEST_HOST:
        raise ValueError(f'"{given}" is not a host name')
    # What ends in a number browsers read as an IPv4 address, in many spellings.
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise ValueError(f'"{given}" is not an IPv4 address; write its four decimal numbers') from error
    return host


def _ascii(given: str) -> str:
    if given.isascii():
        return given
    plain = f'"{given}" cannot be read here without doubt; write it as browsers send it, with xn--'
    if not DEVIATIONS.isdisjoint(given):
        raise ValueError(plain)
    try:
        return given.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(plain) from error


def _ipv6(given: str) -> str:
    try:
        address = ipaddress.IPv6Address(given.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise ValueError(f'"{given}" is not an IPv6 address') from error
    if address.scope_id or not given.endswith("]"):
        raise ValueError(f'"{given}" is not an IPv6 address')
    mapped = address.ipv4_mapped
    # Browsers write all of it in hexadecimal, newer versions of Python do not.
    return f"[::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}]" if mapped else f"[{address.compressed}]"
