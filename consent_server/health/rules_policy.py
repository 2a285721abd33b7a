"""What a Content-Security-Policy lets a page load (CSP 3, section 6.7), as far as a server sees it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

# What stands for a directive that a policy does not have, in this order.
FALLBACK = {
    "script-src": ("script-src-elem", "script-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "img-src": ("img-src", "default-src"),
    "frame-src": ("frame-src", "child-src", "default-src"),
}
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SECURE = {"http": "https", "ws": "wss"}
_SOURCE = re.compile(r"(?:([a-z][a-z0-9+.-]*)://)?(\*|(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\*|[0-9]+))?(/.*)?")


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: of each directive its sources, as they were written."""

    directives: dict[str, list[str]]

    def sources(self, directive: str) -> list[str] | None:
        """What counts for a directive of FALLBACK; None where anything goes."""
        names = (name for name in FALLBACK[directive] if name in self.directives)
        name = next(names, None)
        return None if name is None else self.directives[name]

    def lets_in(self, directive: str, url: str, page: str, nonce: str = "", added: bool = False) -> bool:
        """Whether the page may ask for an address. `added`: by a script that may run, not by the page's markup."""
        sources = self.sources(directive)
        if sources is None:
            return True
        if directive == "script-src":
            if nonce and f"'nonce-{nonce}'" in sources:
                return True
            if "'strict-dynamic'" in sources:
                return added
        return any(_matches(source.lower(), urlsplit(url), urlsplit(page)) for source in sources)


def read_policies(headers: Sequence[str]) -> list[Policy]:
    """The policies of headers, each of which may hold several; all of them count."""
    return [Policy(dict(_directives(text))) for header in headers for text in header.split(",") if text.strip()]


def _directives(text: str) -> Iterator[tuple[str, list[str]]]:
    # The first of a name counts; read from behind, it is the one that stays.
    for part in reversed(text.split(";")):
        name, *sources = part.split() or [""]
        if name:
            yield name.lower(), sources


def _matches(source: str, url: SplitResult, page: SplitResult) -> bool:
    if source == "'self'":
        return url.netloc == page.netloc and url.scheme in (page.scheme, _SECURE.get(page.scheme))
    if source == "*":
        return url.scheme in PORTS
    if source.endswith(":") and "/" not in source:
        return url.scheme in (source[:-1], _SECURE.get(source[:-1]))
    parts = _SOURCE.fullmatch(source)
    if parts is None:
        return False
    scheme, host, port, path = parts.groups()
    return (
        _scheme_matches(scheme or page.scheme, url.scheme, said=scheme is not None)
        and _host_matches(host, url.hostname or "")
        and _port_matches(port, url)
        and _path_matches(path, url.path or "/")
    )


def _scheme_matches(scheme: str, asked: str, said: bool) -> bool:
    secure = _SECURE.get(scheme)
    # A source without a scheme takes the page's; for a socket, that of its kind.
    sockets = {"http": ("ws", "wss"), "https": ("wss",)}.get(scheme, ()) if not said else ()
    return asked in (scheme, secure, *sockets)


def _host_matches(pattern: str, host: str) -> bool:
    host = f"[{host}]" if ":" in host else host
    if pattern == "*":
        return True
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _port_matches(port: str | None, url: SplitResult) -> bool:
    default = PORTS.get(url.scheme)
    asked = url.port or default
    return port == "*" or (asked == default if port is None else str(asked) == port)


def _path_matches(path: str | None, asked: str) -> bool:
    if path is None or path == "/":
        return True
    return asked.startswith(path) if path.endswith("/") else asked == path
