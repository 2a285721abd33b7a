"""Which views nobody looked at: crawlers that say what they are, and pages that a browser fetched ahead."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

# Word for word what such programs call themselves. CUBOT is a make of telephone. Browsers run by programs
# (HeadlessChrome) and plain clients (curl) are not here: they do not say that they crawl, and sites test with them.
_WORDS = re.compile(
    r"(?<!cu)bots?\b|crawl(?:er|ers|ing)?\b|spiders?\b|\bslurp\b|archiver\b|\bscrap(?:er|y)\b"
    r"|\bfacebookexternalhit\b|\bmeta-externalagent\b|\bmediapartners-google\b|\bapis-google\b|\bgoogleother\b"
    r"|\bgoogle-(?:inspectiontool|read-aloud|site-verification)\b|\bfeedfetcher\b|\bbingpreview\b"
    r"|\bchrome-lighthouse\b|\bptst/|\bpingdom|\bstatuscake\b|\bsite24x7\b|\bheritrix\b|\bembedly\b",
    re.IGNORECASE,
)
# What a phone or a build of Android is called is no name of a program: HTC Butterfly, AP3A.240617.008.
_DEVICE = re.compile(r"\AMozilla/5\.0 \([^()]*\bAndroid\b[^()]*\)")
# Browsers within apps send about 500 characters; a name that backtracks has no more to walk through.
_LONGEST = 1000
# Fetch ("Sec-Purpose"); the two older ones are what browsers sent before it.
PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Moz")


def robot_names(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Regular expressions of names, in as few as are searched fastest: one for each first letter."""

    def first_letter(pattern: str) -> str:
        return pattern.lstrip("^([\\")[:1]

    return tuple(re.compile("|".join(group)) for _, group in groupby(sorted(patterns, key=first_letter), first_letter))


def calls_itself_robot(user_agent: str) -> bool:
    """Whether one of the words that any such program uses is in it."""
    return _WORDS.search(user_agent) is not None


def is_robot(user_agent: str, names: Sequence[re.Pattern[str]]) -> bool:
    """Whether the client says itself that it is a crawler, a link preview or an uptime check, in words or by name."""
    if calls_itself_robot(user_agent):
        return True
    program = _DEVICE.sub("", user_agent[:_LONGEST], count=1)
    return any(name.search(program) for name in names)


def is_prefetch(header: Callable[[str], str | None]) -> bool:
    """Whether the browser fetched or drew the page ahead, with nobody before it. `header` reads one by its name."""
    return any("prefetch" in (header(name) or "").lower() for name in PREFETCH_HEADERS)
