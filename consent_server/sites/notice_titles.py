"""What the notices of a site are called: as they were published, or else by what they changed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from consent_server.core.database import Session
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from consent_server.sites.rules_differences import Difference, differences
from consent_server.sites.rules_titles import computed_title, title_of_arm
from consent_server.sites.store_notices import Publication
from consent_server.sites.wording import language_in_english

# By the hashes of two notices: what these differ in never changes. Only publications from before there were titles
# are computed, so that there are few.
_told: dict[tuple[str, str], tuple[Difference, ...]] = {}


UNREADABLE = Difference("", "not to be told: a notice was altered")


@dataclass(frozen=True, slots=True)
class TitledPublication:
    """When a site began to show a notice, and what that publication is called."""

    notice: str
    published_at: datetime
    title: str


def titled_publications(session: Session, site_id: int, own: bool = False) -> list[TitledPublication]:
    """Every publication of a site, oldest first; with `own`, without those of its regions."""
    return list(_titled(session, notices.publications(session, site_id, own)))


def notice_titles(session: Session, site_id: int) -> dict[str, str]:
    """By hash, what each notice that a site showed is called: as its first publication, or as an arm."""
    arms = {notice: title_of_arm(key, arm) for notice, key, arm in experiments.names(session, site_id)}
    published = {one.notice: one.title for one in reversed(titled_publications(session, site_id))}
    return arms | published


def told_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs between two notices (rules_differences.py), with languages named in English."""
    return differences(before, after, language_in_english)


def _titled(session: Session, published: Iterable[Publication]) -> Iterator[TitledPublication]:
    # Bodies are large: of neighbours, each is read once and let go.
    @lru_cache(maxsize=2)
    def body(notice: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(notices.body(session, notice))
        return found

    def told(before: str, after: str) -> Sequence[Difference]:
        # Two at once find the same.
        if (before, after) not in _told:
            try:
                _told[before, after] = told_between(body(before), body(after))
            except (LookupError, TypeError, ValueError, AttributeError):
                # Auditors read on where somebody altered a notice: that it was is for the checks to say.
                return (UNREADABLE,)
        return _told[before, after]

    known: dict[str, str] = {}
    before = ""
    for one in published:
        title = one.title or computed_title(known, one.notice, partial(told, before, one.notice))
        known.setdefault(one.notice, title)
        before = one.notice
        yield TitledPublication(one.notice, one.published_at, title)
