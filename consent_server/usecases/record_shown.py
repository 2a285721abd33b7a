"""Count a banner shown."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from consent_server.domain.errors import Fault, InvalidDecision
from consent_server.storage import shown
from consent_server.storage.group_commit import GroupCommit
from consent_server.storage.session import Database
from consent_server.storage.shown import View
from consent_server.usecases.current_site import CurrentSite, CurrentSites


class RecordShown:
    """Adds to a counter a day; stores nothing of the visitor."""

    def __init__(self, database: Database, sites: CurrentSites, now: Callable[[], datetime]) -> None:
        self._sites = sites
        self._now = now
        self._commit = GroupCommit(database, _add)

    def __call__(self, current: CurrentSite, notice_hash: str, language: str, device: str) -> None:
        """Raises InvalidDecision for a notice or language that was never shown, StorageUnavailable."""
        found = self._sites.notice(current, notice_hash)
        if found is None:
            faults = [Fault("#/notice", "This site never published a notice of this hash.")]
            raise InvalidDecision("Nothing was counted.", faults)
        notice_id, notice = found
        if language not in notice.languages:
            faults = [Fault("#/language", f"The notice exists in: {', '.join(notice.languages)}.")]
            raise InvalidDecision("Nothing was counted.", faults)
        view = View(current.site_id, notice_id, self._now().date(), language, device)
        self._commit(lambda: view)


def _add(session: Session, views: Sequence[View]) -> list[None]:
    shown.add(session, Counter(views))
    return [None] * len(views)
