"""Keep the scans of a server out of the network that it stands in: whoever edits a site chooses its addresses."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit


class OwnNetwork(Exception):
    """An address leads into the server's own network, or nowhere; the text says which."""


def pinned(origins: Iterable[str], start: str, local: bool) -> tuple[str, ...]:
    """Chromium's flags by which each host of the site is where it was found now, and nowhere else a second later.

    `local`: whether the server itself is for this machine alone, and may look at it. Raises OwnNetwork for the start.
    """
    rules = []
    for url in dict.fromkeys((start, *origins)):
        host = urlsplit(url).hostname or ""
        try:
            rules.append(f"MAP {host} {_address(host, local)}")
        except OwnNetwork:
            if url == start:
                raise
            # A host of the site that is not looked at.
            rules.append(f"MAP {host} ~NOTFOUND")
    return (f"--host-resolver-rules={', '.join(dict.fromkeys(rules))}",)


def is_named(url: str) -> bool:
    """Whether a host is given as an address of a private network, or as this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def _address(host: str, local: bool) -> str:
    try:
        found = [ip_address(told[4][0]) for told in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise OwnNetwork(f"{host} is not found in the DNS.") from error
    allowed = [one for one in found if one.is_global or (local and one.is_loopback)]
    if len(allowed) != len(found) or not found:
        raise OwnNetwork(f"{host} is in the server's own network, which no scan looks at.")
    first = allowed[0]
    return f"[{first}]" if first.version == 6 else str(first)
