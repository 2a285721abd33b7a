"""Which pages of a site are looked at: those that are named, then those of its sitemap, then those that it links."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urldefrag, urlsplit
from urllib.robotparser import RobotFileParser

from consent_server.sites.rules_origin import origin_of

# What a scan is called in robots.txt.
AGENT = "consent-scan"
MOST_OF_A_SITEMAP = 200
_LOCATION = re.compile(r"<loc>\s*(?:<!\[CDATA\[)?\s*([^<\]\s]+)")
_NO_PAGE = re.compile(
    r"\.(pdf|zip|gz|jpe?g|png|gif|svg|webp|avif|mp[34]|webm|ico|css|m?js|json|xml|txt|docx?|xlsx?)$", re.I
)
_LEAVES = re.compile(r"/(log-?out|sign-?out|logoff|abmelden|deconnexion)\b", re.I)


class Robots:
    """What a site asks robots not to look at (RFC 9309). Without a file everything may be."""

    def __init__(self, text: str | None) -> None:
        self._rules = RobotFileParser()
        self._rules.parse((text or "").splitlines())

    def allows(self, url: str) -> bool:
        """Whether a page may be looked at."""
        return self._rules.can_fetch(AGENT, url)

    @property
    def sitemaps(self) -> list[str]:
        """The addresses of the sitemaps that it names."""
        return list(self._rules.site_maps() or [])


def read_sitemap(text: str) -> tuple[list[str], bool]:
    """The addresses in a sitemap, and whether they are those of further sitemaps."""
    found = [unescape(url) for url in _LOCATION.findall(text)[:MOST_OF_A_SITEMAP]]
    return found, "<sitemapindex" in text


@dataclass
class Frontier:
    """The pages still to be looked at, in the order in which they were found; each once."""

    origins: set[str]
    allows: Callable[[str], bool]
    waiting: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    disallowed: set[str] = field(default_factory=set)

    def start(self, urls: Iterable[str]) -> None:
        """Pages that somebody named: looked at whatever a robots.txt says."""
        for url in urls:
            if (clean := _clean(url)) not in self.known:
                self.known.add(clean)
                self.waiting.append(url)

    def add(self, urls: Iterable[str]) -> None:
        """Pages that were found."""
        for url in map(_clean, urls):
            if url in self.known or not self._is_page(url):
                continue
            self.known.add(url)
            if self.allows(url):
                self.waiting.append(url)
            else:
                self.disallowed.add(url)

    def take(self, most: int) -> Iterator[str]:
        """The next pages, also those that are found while the first are looked at."""
        for _ in range(most):
            if not self.waiting:
                return
            yield self.waiting.pop(0)

    def _is_page(self, url: str) -> bool:
        parts = urlsplit(url)
        if origin_of(url) not in self.origins:
            return False
        # An address with a query is usually another view of a page that is there without it.
        return not (parts.query or _NO_PAGE.search(parts.path) or _LEAVES.search(parts.path))


def _clean(url: str) -> str:
    try:
        plain = urldefrag(url).url
        return plain if urlsplit(plain).path else f"{plain}/"
    except ValueError:
        return "about:invalid"
