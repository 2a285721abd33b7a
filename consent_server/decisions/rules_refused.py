"""Posts that were refused: what is kept of them, and how each is mended."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

# So many origins and reasons of a site's day are kept apart; the rest is one sum for each reason.
KEPT = 20
OTHERS = "others"
LONGEST_ORIGIN = 100
# As browsers write one (HTML, "ASCII serialization of an origin"): also of an app's page or of an extension.
_ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_HIDDEN = {
    "none": "a program, or a page behind a proxy that removes the `Origin` header",
    "invalid": "a program: no browser writes an `Origin` header like that",
    "null": "a page in a sandboxed frame or of a file: a page of the site has an origin of its own",
    OTHERS: "pages of many origins: see which of them are yours, and add those to `origins`",
}
_MENDS = {
    "invalid-decision": "the page shows a notice of another site or answers what it does not name: take the tag that "
    "`consent site list` prints, from this server and not from a copy",
    "malformed-body": "this is not what the widget sends: look for code of the site's own that posts, and for a proxy "
    "that changes what is sent",
    "body-too-large": "this is more than the widget sends: look for code of the site's own that posts",
    "unsupported-content-type": "look for code of the site's own that posts, and for a proxy that changes the header "
    "`Content-Type`: it is to be `text/plain` or `application/json`",
    "decision-conflict": "code of the site's own sends another decision under an old `decision_id`: make a new one for "
    "each",
    "too-many-requests": "behind a proxy all visitors have its address: set `CONSENT_TRUSTED_PROXIES`; else raise "
    "`CONSENT_RATE_LIMIT`",
    "unsuitable-database": "the database is not one PostgreSQL: see the server's log",
    "storage-unavailable": "the database did not answer: see the server's log; the widget sends them again",
    "internal-server-error": "see the server's log for the word `incident`",
}


class Refused(NamedTuple):
    """How many posts of one origin were refused for one reason: the name of a problem's page."""

    reason: str
    origin: str
    posts: int


def named_origin(header: str | None) -> str:
    """What is kept of an Origin header: an origin, or a word for what is none."""
    if header is None:
        return "none"
    return header if len(header) <= LONGEST_ORIGIN and _ORIGIN.fullmatch(header) else "invalid"


def rarest(counts: Mapping[tuple[str, str], int]) -> tuple[list[tuple[str, str]], Counter[str]]:
    """The reasons and origins of a day that are not among the most frequent, and what they sum to by reason."""
    apart = sorted((key for key in counts if key[1] != OTHERS), key=lambda key: (-counts[key], key))
    sums: Counter[str] = Counter()
    for key in apart[KEPT:]:
        sums[key[0]] += counts[key]
    return apart[KEPT:], sums


def mend(refused: Refused) -> str:
    """What happened and what to do about it, in one sentence without its day: "3 posts refused from …: …"."""
    count = f"{refused.posts} post{'s' * (refused.posts != 1)}"
    return f"{count} refused from {refused.origin}: {_mend(refused)} ({refused.reason})."


def _mend(refused: Refused) -> str:
    if refused.reason == "foreign-origin":
        return _HIDDEN.get(refused.origin, "if its pages are yours, add it to `origins` in the site file")
    return _MENDS.get(refused.reason, f"see the page /problems/{refused.reason}")
