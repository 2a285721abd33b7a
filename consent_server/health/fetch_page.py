"""Fetch a page of a site, or one on this machine, and nothing else."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

from consent_server.core import outgoing
from consent_server.core.outgoing import Answer, Unanswered
from consent_server.sites import rules_origin
from consent_server.sites.rules_site import Site

LONGEST_PAGE = 4_000_000
MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address answered in the end, and which one that was."""

    url: str
    answer: Answer

    @property
    def text(self) -> str:
        """Its body as text, by the charset that its header names."""
        charset = self.answer.headers.get_content_charset("utf-8")
        try:
            return self.answer.body.decode(charset, "replace")
        except LookupError:
            return self.answer.body.decode("utf-8", "replace")


def origin_of(url: str) -> str:
    """The origin of an address as a browser writes it. Raises ValueError for what has none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("it must be an http or https address without a user")
    return rules_origin.origin_of(url)


def may_fetch(url: str, site: Site) -> bool:
    """Whether an address is on this machine or of the site: no other host is asked for anything."""
    try:
        return is_loopback(url) or site.admits(origin_of(url))
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def fetch_page(url: str, site: Site) -> Fetched:
    """GET a page, following redirects that stay on this machine or within the site. Raises Unanswered."""
    for _ in range(MOST_REDIRECTS + 1):
        if not may_fetch(url, site):
            raise Unanswered(f"it leads to {url[:200]}, which is neither of the site's origins nor on this machine")
        answer = outgoing.get(url, LONGEST_PAGE)
        location = answer.headers.get("Location")
        if answer.status not in REDIRECTS or not location:
            return Fetched(url, answer)
        url = urljoin(url, location).partition("#")[0]
    raise Unanswered(f"it redirects more than {MOST_REDIRECTS} times")
