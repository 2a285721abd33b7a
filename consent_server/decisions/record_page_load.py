"""Count a page load that was sampled: which vendors may run there."""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime

from consent_server.core.errors import pointer
from consent_server.decisions.count_events import CountEvents, cell
from consent_server.decisions.record_shown import require_vendors, shown_notice
from consent_server.decisions.rules_tally import of_page_load
from consent_server.decisions.rules_visit import Visit
from consent_server.sites.current_site import CurrentSite, CurrentSites


class RecordPageLoad:
    """Adds to counters of the day; stores nothing of the visitor, and neither which page it was nor when."""

    def __init__(self, count: CountEvents, sites: CurrentSites, now: Callable[[], datetime]) -> None:
        self._count = count
        self._sites = sites
        self._now = now

    def __call__(
        self,
        current: CurrentSite,
        notice_hash: str,
        language: str,
        answered: bool,
        granted: Collection[str],
        visit: Visit,
    ) -> None:
        """`granted` are vendors. Raises InvalidDecision for what the notice does not name, StorageUnavailable."""
        notice_id, notice = shown_notice(self._sites, current, notice_hash)
        require_vendors(notice, ((pointer("granted", str(place)), key) for place, key in enumerate(granted)))
        language, outcome = notice.language_shown(language), of_page_load(answered, granted)
        self._count(Counter([cell(current, notice_id, language, visit, outcome, self._now())]))
