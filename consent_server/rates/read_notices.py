"""What a site's notices ask for, each body read once: it never changes, and its hash names it."""

import json
from collections.abc import Mapping
from sys import intern
from typing import Any

from consent_server.core.database import Session
from consent_server.rates.rules_report import Asked
from consent_server.sites import store_notices as notices
from consent_server.sites.rules_notice import on_before
from consent_server.sites.rules_places import Rule

# A kilobyte each, and ten times what a busy site publishes in years.
MOST_KEPT = 10_000


class NoticeReader:
    """Keeps what notices ask for, by hash, for whoever asks in this process."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: Mapping[str, Asked] = {}

    def asked(self, session: Session, site_id: int, hashes: Mapping[int, str]) -> dict[str, Asked]:
        """By hash, in the order of `hashes`: those of all notices of the site by row id."""
        kept = dict(self._kept)
        unread = [row_id for row_id, notice_hash in hashes.items() if notice_hash not in kept]
        if unread:
            # Those that are not known yet are the newest.
            bodies = notices.bodies(session, site_id, min(unread))
            kept |= {notice_hash: _asked(json.loads(body)) for notice_hash, body in bodies.items()}
            # Replaced as a whole, so that no other thread meets it half made.
            self._kept = dict([*kept.items()][-self._most :])
        return {notice_hash: kept[notice_hash] for notice_hash in hashes.values()}


def _asked(body: Mapping[str, Any]) -> Asked:
    titles = (body["texts"].get("en") or body["texts"][body["languages"][0]])["purposes"]
    # Most notices of a site share most of their words.
    unasked = on_before(body)
    return Asked(
        {
            intern(purpose["key"]): intern(titles[purpose["key"]]["title"])
            for purpose in body["purposes"]
            if purpose["key"] not in unasked
        },
        {
            intern(vendor["key"]): intern(vendor["name"])
            for vendor in body["vendors"]
            if not unasked.issuperset(vendor["purposes"])
        },
        body["choice_days"],
        intern(str(body.get("rule", Rule.OPT_IN))),
        unasked,
    )
