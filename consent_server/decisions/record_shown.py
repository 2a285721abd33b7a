"""Count a banner shown."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from consent_server.core.errors import Fault, InvalidDecision
from consent_server.decisions.count_events import CountEvents, cell
from consent_server.decisions.rules import AskedAs
from consent_server.decisions.rules_tally import ARRIVAL, SHOWN, SHOWN_AGAIN, TOLD, Outcome
from consent_server.decisions.rules_visit import Visit
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.rules_notice import Asks, Notice


class RecordShown:
    """Adds to a counter; stores nothing of the visitor.

    A view has no id by which a repeated post could be known: the widget sends it once and never again.
    """

    def __init__(self, count: CountEvents, sites: CurrentSites, now: Callable[[], datetime]) -> None:
        self._count = count
        self._sites = sites
        self._now = now

    def __call__(
        self,
        current: CurrentSite,
        notice_hash: str,
        language: str,
        visit: Visit,
        asked: AskedAs = AskedAs.FIRST,
        arrival: bool = False,
    ) -> None:
        """`asked` tells whether the browser kept an earlier choice, which has ended; `arrival`, whether a visit began.

        Raises InvalidDecision for a notice that was never shown, StorageUnavailable.
        """
        notice_id, notice = shown_notice(self._sites, current, notice_hash)
        language = notice.language_shown(language)
        view = _view(notice, asked, arrival)
        self._count(Counter([cell(current, notice_id, language, visit, view, self._now())]))


def _view(notice: Notice, asked: AskedAs, arrival: bool) -> Outcome:
    if notice.asks is not Asks.CHOICE:
        return TOLD
    return SHOWN_AGAIN if asked is AskedAs.AGAIN else ARRIVAL if arrival else SHOWN


def shown_notice(sites: CurrentSites, current: CurrentSite, notice_hash: str) -> tuple[int, Notice]:
    """A notice that the site shows or once showed. Raises InvalidDecision."""
    found = sites.notice(current, notice_hash)
    if found is None:
        faults = [Fault("#/notice", "This site never published a notice with this hash.")]
        raise InvalidDecision("Nothing was counted.", faults)
    return found


def require_vendors(notice: Notice, named: Iterable[tuple[str, str]]) -> None:
    """`named` are vendors, each with its place in the body. Raises InvalidDecision for those that the notice has not.

    Nobody may make up keys that a counter would then keep.
    """
    faults = [
        Fault(place, "The notice does not name this vendor.") for place, key in named if key not in notice.vendors
    ]
    if faults:
        raise InvalidDecision("Nothing was counted.", faults)
