"""Which views nobody looked at: crawlers that say what they are, and pages that a browser fetched ahead."""

import re
from collections.abc import Callable

# Word for word what such programs call themselves. CUBOT is a make of telephone. Browsers run by programs
# (HeadlessChrome) and plain clients (curl) are not here: they do not say that they crawl, and sites test with them.
_ROBOT = re.compile(
    r"(?<!cu)bots?\b|crawl(?:er|ers|ing)?\b|spiders?\b|\bslurp\b|archiver\b|\bscrap(?:er|y)\b"
    r"|\bfacebookexternalhit\b|\bmeta-externalagent\b|\bmediapartners-google\b|\bapis-google\b|\bgoogleother\b"
    r"|\bgoogle-(?:inspectiontool|read-aloud|site-verification)\b|\bfeedfetcher\b|\bbingpreview\b"
    r"|\bchrome-lighthouse\b|\bptst/|\bpingdom|\bstatuscake\b|\bsite24x7\b|\bheritrix\b|\bembedly\b",
    re.IGNORECASE,
)
# Fetch ("Sec-Purpose"); the two older ones are what browsers sent before it.
PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Moz")


def is_robot(user_agent: str) -> bool:
    """Whether the client says itself that it is a crawler, a link preview or an uptime check."""
    return _ROBOT.search(user_agent) is not None


def is_prefetch(header: Callable[[str], str | None]) -> bool:
    """Whether the browser fetched or drew the page ahead, with nobody before it. `header` reads one by its name."""
    return any("prefetch" in (header(name) or "").lower() for name in PREFETCH_HEADERS)
