"""Whose a cookie, an entry or a request is: notice and catalogue say it, the Open Cookie Database hints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from consent_server.health.rules_vendors import KnownVendor, vendor_of
from consent_server.scans.rules import UNKNOWN, Cookie, NamedVendor, Owner, Request, Source, Stored

# What a policy calls that which the browser calls so.
DIRECTIVES = {
    "Script": ("script-src",), "Image": ("img-src",), "Document": ("frame-src",), "XHR": ("connect-src",),
    "Fetch": ("connect-src",), "Ping": ("connect-src",), "WebSocket": ("connect-src",), "Stylesheet": ("style-src",),
    "Font": ("font-src",), "Media": ("media-src",),
}  # fmt: skip
# A name shorter than this may be anybody's, unless the domain fits too.
SHORTEST_NAME = 4
# Where our own widget keeps the choice.
OWN_NAMES = ("eu-consent", "eu-consent-*")
# What the database's categories are called here.
CATEGORIES = {
    "Analytics": "analytics", "Marketing": "advertising", "Functional": "functional", "Personalization": "functional",
    "Security": "security", "Necessary": "necessary",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CatalogueVendor:
    """A vendor as the catalogue has it; `cookies` are storage, name and the third party's host, or none."""

    key: str
    name: str
    purposes: tuple[str, ...]
    hosts: KnownVendor
    cookies: tuple[tuple[str, str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Hint:
    """A row of the Open Cookie Database."""

    name: str
    wildcard: bool
    domain: str
    platform: str
    category: str


class Hints:
    """The rows, by name: a whole name first, then the longest beginning."""

    def __init__(self, rows: Iterable[Hint]) -> None:
        self._whole: dict[str, list[Hint]] = {}
        self._begun: list[Hint] = []
        for row in rows:
            if row.wildcard:
                self._begun.append(row)
            else:
                self._whole.setdefault(row.name, []).append(row)
        self._begun.sort(key=lambda row: -len(row.name))

    def of(self, name: str, domain: str) -> Owner:
        """Whose a name is, as far as the database says."""
        begun = (row for row in self._begun if name.startswith(row.name))
        row = next((row for row in [*self._whole.get(name, ()), *begun] if _fits(row, domain)), None)
        if row is None:
            return UNKNOWN
        return Owner(row.platform, (CATEGORIES.get(row.category, row.category.lower()),), Source.HINT)


def _fits(row: Hint, domain: str) -> bool:
    named = row.domain.partition(" ")[0].lstrip(".").lower()
    return len(row.name) >= SHORTEST_NAME or (bool(named) and is_below(domain.lstrip("."), named))


def is_below(host: str, domain: str) -> bool:
    """Whether a host is this domain, or one of its own."""
    return host == domain or host.endswith(f".{domain}")


@dataclass(frozen=True, slots=True)
class Owners:
    """All that is known. `tools` are the hosts of consent tools by name, `own` those of our banner.

    `allowed` are hosts that whoever scans says are needed.
    """

    catalogue: Sequence[CatalogueVendor]
    hints: Hints
    tools: Mapping[str, tuple[str, ...]]
    named: Sequence[NamedVendor] = ()
    own: frozenset[str] = frozenset()
    allowed: tuple[str, ...] = ()

    def own_request(self, request: Request, url: str) -> Request:
        """The request with its owner."""
        return replace(request, owner=self._of_request(request, url))

    def own_cookie(self, cookie: Cookie) -> Cookie:
        """The cookie with its owner."""
        return replace(cookie, owner=self._of_name("cookie", cookie.name, cookie.domain, cookie.first_party))

    def own_stored(self, stored: Stored) -> Stored:
        """The entry with its owner."""
        host = urlsplit(stored.origin).hostname or ""
        return replace(stored, owner=self._of_name(stored.storage, stored.name, host, stored.first_party))

    def _of_request(self, request: Request, url: str) -> Owner:
        if request.host in self.own:
            return Owner("the consent banner", (), Source.BANNER)
        if any(is_host(request.host, pattern) for pattern in self.allowed):
            return Owner("", (), Source.ALLOWED)
        for tool, hosts in self.tools.items():
            if any(is_host(request.host, pattern) for pattern in hosts):
                return Owner(tool, (), Source.BANNER)
        named = {vendor.key for vendor in self.named}
        known = [replace(vendor.hosts, on_site=vendor.key in named) for vendor in self.catalogue]
        known.sort(key=lambda vendor: (not vendor.on_site, vendor.adapter is None, vendor.key))
        directives = DIRECTIVES.get(request.type, ("img-src", "connect-src", "script-src", "frame-src"))
        found = vendor_of(url, known, directives)
        return self._vendor(found.key) if found else UNKNOWN

    def _of_name(self, storage: str, name: str, host: str, first_party: bool) -> Owner:
        if first_party and self.own and any(is_name(name, pattern) for pattern in OWN_NAMES):
            return Owner("the consent banner", (), Source.BANNER)
        for vendor in self.named:
            if any(kind == storage and is_name(name, pattern) for kind, pattern in vendor.cookies):
                return Owner(vendor.name, vendor.purposes, Source.NOTICE, vendor.key)
        for each in self.catalogue:
            for kind, pattern, third in each.cookies:
                if kind == storage and is_name(name, pattern) and _is_there(host, third, first_party):
                    return self._vendor(each.key)
        return self.hints.of(name, host)

    def _vendor(self, key: str) -> Owner:
        vendor = next(one for one in self.catalogue if one.key == key)
        return Owner(vendor.name, vendor.purposes, Source.CATALOGUE, key)


def is_name(name: str, pattern: str) -> bool:
    """A `*` at the end of a pattern stands for any more."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def is_host(host: str, pattern: str) -> bool:
    """`*.` at the beginning of a pattern stands for one or more labels."""
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _is_there(host: str, third: str | None, first_party: bool) -> bool:
    return first_party if third is None else is_below(host.lstrip("."), third.lstrip("*."))
