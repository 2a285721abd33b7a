"""Count the conversions of a page: those that were sent, and those that a denial kept back."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from consent_server.core.errors import pointer
from consent_server.decisions.count_events import CountEvents, cell
from consent_server.decisions.record_shown import require_vendors, shown_notice
from consent_server.decisions.rules_tally import of_conversion
from consent_server.decisions.rules_visit import Visit
from consent_server.decisions.store_tallies import Cell
from consent_server.sites.current_site import CurrentSite, CurrentSites


class RecordConversions:
    """Adds to counters: how many, of which vendor. Neither which conversion it was nor whose."""

    def __init__(self, count: CountEvents, sites: CurrentSites, now: Callable[[], datetime]) -> None:
        self._count = count
        self._sites = sites
        self._now = now

    def __call__(
        self,
        current: CurrentSite,
        notice_hash: str,
        language: str,
        counts: Mapping[str, Mapping[str, int]],
        visit: Visit,
    ) -> None:
        """`counts` are by kind ("sent", "blocked") and vendor. Raises InvalidDecision, StorageUnavailable."""
        notice_id, notice = shown_notice(self._sites, current, notice_hash)
        language = notice.language_shown(language)
        require_vendors(notice, ((pointer(kind, key), key) for kind, vendors in counts.items() for key in vendors))
        now, cells = self._now(), Counter[Cell]()
        for kind, vendors in counts.items():
            for vendor, count in vendors.items():
                outcome = of_conversion(vendor, sent=kind == "sent")
                cells[cell(current, notice_id, language, visit, outcome, now)] += count
        if cells:
            self._count(cells)
