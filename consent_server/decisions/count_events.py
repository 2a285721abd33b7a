"""Add events to the counters, those of one moment together."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.group_commit import GroupCommit
from consent_server.core.times import local_hour
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.rules_tally import Outcome
from consent_server.decisions.rules_visit import Visit
from consent_server.decisions.store_tallies import Cell
from consent_server.sites.current_site import CurrentSite


class CountEvents:
    """Counts what leaves no record: banners shown, conversions. Nothing of a visitor is stored."""

    def __init__(self, database: Database) -> None:
        self._commit = GroupCommit(database, _add)

    def __call__(self, cells: Counter[Cell]) -> None:
        """Raises StorageUnavailable; nothing is counted then."""
        self._commit(lambda: cells)


def cell(current: CurrentSite, notice_id: int, language: str, visit: Visit, outcome: Outcome, now: datetime) -> Cell:
    """Where an event is counted. Robots and prefetches are counted as such, whatever they did."""
    counted = visit.left_out or outcome
    hour = local_hour(now, current.site.time_zone)
    return Cell(current.site_id, notice_id, hour, language, visit.device, visit.country, counted.text)


def _add(session: Session, batches: Sequence[Counter[Cell]]) -> list[None]:
    tallies.add(session, sum(batches, Counter()))
    return [None] * len(batches)
