"""Say by a signed entry which records of a span are not genuine: a program made them, or a load test."""

from collections.abc import Callable
from datetime import datetime

from consent_server.core.database import Database
from consent_server.core.errors import Fault, InvalidQuery
from consent_server.core.times import rfc3339
from consent_server.ledger import store_remarks
from consent_server.ledger.remark import Remarker
from consent_server.ledger.rules_remark import RemarkRule
from consent_server.ledger.rules_removal import ranges
from consent_server.ledger.seal import seal_ledger
from consent_server.ledger.store_sealing import take_turns
from consent_server.sites import store as sites

LONGEST_REASON = 200


def mark_records(
    database: Database, remarker: Remarker, now: Callable[[], datetime], key: str, since: datetime, before: datetime,
    reason: str, dry_run: bool = False,
) -> list[tuple[int, int]]:  # fmt: skip
    """Name the leaves of all records of a span (`before` excluded) that no earlier mark names; return them as ranges.

    The records stay, and every check goes on looking at them. What was removed since is not named any more.
    Raises UnknownSite, InvalidQuery.
    """
    _require(since, before, reason)
    with database.reading() as session:
        site_id = sites.get(session, key).id
    if not dry_run:
        # Each record has a leaf that can be named.
        seal_ledger(database, remarker.ring, now, site_id)
    with database.transaction() as session:
        # Before leaves are chosen: another mark under way may be about to name the same ones.
        (ledger,) = take_turns(session, [site_id])
        chosen = store_remarks.leaves_recorded(session, site_id, since, before)
        named = ranges(remarker.unnamed(session, ledger, RemarkRule.NOT_GENUINE, chosen))
        if named and not dry_run:
            said = f"Recorded from {rfc3339(since)} to {rfc3339(before)}: {reason}"
            remarker.remark(session, site_id, RemarkRule.NOT_GENUINE, said, named, now())
    if named and not dry_run:
        seal_ledger(database, remarker.ring, now, site_id)
    return named


def _require(since: datetime, before: datetime, reason: str) -> None:
    faults = []
    if since >= before:
        faults.append(Fault("--to", "Must be after --from."))
    if not 1 <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        faults.append(Fault("--reason", f"Must be one line of 1 to {LONGEST_REASON} characters."))
    if faults:
        raise InvalidQuery("Nothing was marked.", faults)
