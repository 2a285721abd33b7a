"""What is missing or out of order: a quick look at the newest, and a replay of one stretch of the ledger at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter

from consent_server.audit import store as search
from consent_server.core import append_only
from consent_server.core.database import LONG, Database, Session
from consent_server.core.errors import InvalidProof
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.core.notes import NoteKey, Verify, open_checkpoint, parse_checkpoint, parse_note
from consent_server.ledger import store as ledgers
from consent_server.ledger.check_leaves import TOLERANCE
from consent_server.ledger.rows import CheckpointRow
from consent_server.ledger.rules_remark import REMARK_TYPE
from consent_server.ledger.rules_removal import REMOVAL_TYPE
from consent_server.ledger.rules_report import Check, Report
from consent_server.sites import store_experiments as experiments
from consent_server.sites.notice_titles import notice_titles

# How many of the newest are counted, or looked at for their order, so that the answer comes as soon over any ledger.
# The replay and `ledger check` see all the others.
NEWEST_LEAVES, NEWEST_RECORDS, NEWEST_CHECKPOINTS = 1_000_000, 2000, 500
SHOWN_REMOVALS = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice and what it is called, shown from a time on, with the first and the last record under it."""

    notice: str
    title: str
    published_at: datetime
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Removal:
    """A signed entry of the ledger's own: about how many records, when, by which rule and where it stands."""

    at: datetime
    count: int
    rule: str
    reason: str
    leaf_index: int | None


@dataclass(slots=True, kw_only=True)
class GapReport(Report):
    """What must fit together over the `size` leaves of the newest checkpoint; versions and removals, newest first."""

    size: int
    notices: list[Shown]
    widgets: list[tuple[str, datetime]]
    removals: list[Removal]


def report_gaps(database: Database, ring: KeyRing, site_id: int) -> GapReport:
    """Count what must fit together among the newest, and list versions and removals over time."""
    with database.reading(LONG) as session:
        ledger = ledgers.get(session, site_id)
        newest = ledgers.newest_checkpoint(session, site_id)
        keys = ring.note_keys(ledger.origin, newest.sealed_at if newest else None)
        checkpoints = search.newest_checkpoints(session, site_id, NEWEST_CHECKPOINTS)
        checks = [
            *_continuity(session, site_id, newest.size if newest else 0),
            _signed(newest.note if newest else None, keys),
            _records_in_order(session, site_id),
            _checkpoints_in_order(checkpoints),
            _guards(session),
        ]
        return GapReport(
            size=newest.size if newest else 0,
            checks=checks,
            notices=_notices(session, site_id),
            widgets=search.widgets(session),
            removals=_removals(session, ring, site_id),
        )


def _continuity(session: Session, site_id: int, sealed: int) -> list[Check]:
    ledger = ledgers.get(session, site_id)
    first = max(0, ledger.size - NEWEST_LEAVES)
    counts = search.counts(session, site_id, first, ledger.decisions_to)
    last = -1 if counts.highest is None else counts.highest
    unbroken = last + 1 == ledger.size == sealed and counts.leaves == ledger.size - first
    standing = counts.records + counts.removed == counts.of_records
    newest = f": newest {NEWEST_LEAVES:,}" if first else ""
    return [
        Check(
            f"Leaves are numbered without a gap{newest}",
            unbroken,
            f"{counts.leaves:,} leaves; the last is number {last:,}; the newest checkpoint covers {sealed:,}."
            if counts.leaves
            else "There are no leaves yet.",
        ),
        Check(
            f"Every leaf has its record or a signed removal{newest}",
            standing,
            f"{counts.of_records:,} leaves of records: {counts.records:,} stand, {counts.removed:,} were removed.",
        ),
        Check("Records waiting to be sealed", True, f"{counts.waiting:,} as of now."),
    ]


def _signed(note: str | None, keys: Mapping[NoteKey, Verify]) -> Check:
    name = "The newest checkpoint is signed by this server's key"
    if note is None:
        return Check(name, True, "There is none yet.")
    try:
        checkpoint = open_checkpoint(note, keys)
    except InvalidProof as error:
        return Check(name, False, error.detail)
    return Check(name, True, f"{checkpoint.size:,} leaves under the root {checkpoint.root.hex()}.")


def _records_in_order(session: Session, site_id: int) -> Check:
    times = [at for _, at in search.newest_times(session, site_id, NEWEST_RECORDS)]
    back = max((older - newer for newer, older in pairwise(times)), default=timedelta(0))
    return Check(
        f"The clock went forward: newest {len(times):,} records",
        back <= timedelta(seconds=TOLERANCE),
        _step_back(back),
    )


def _checkpoints_in_order(rows: Sequence[CheckpointRow]) -> Check:
    back = max((older.sealed_at - newer.sealed_at for newer, older in pairwise(rows)), default=timedelta(0))
    sizes = all(_says(row) == row.size for row in rows)
    return Check(
        f"Checkpoints grow, and so do their times: newest {len(rows):,}",
        back <= timedelta(0) and sizes,
        _step_back(back) if sizes else "A checkpoint is stored under a size other than the one it states.",
    )


def _guards(session: Session) -> Check:
    gone = sorted(append_only.missing(session.connection()))
    detail = f"Not in force: {', '.join(gone)}." if gone else "Every guard is in force."
    return Check("The database refuses to change history", not gone, detail)


def _says(row: CheckpointRow) -> int:
    try:
        return parse_checkpoint(parse_note(row.note).text).size
    except InvalidProof:
        return -1


def _step_back(back: timedelta) -> str:
    if back <= timedelta(0):
        return "No step back."
    return f"The largest step back is {back.total_seconds():,.3f} s; up to {TOLERANCE} s come from several machines."


def _notices(session: Session, site_id: int) -> list[Shown]:
    shown = sorted(
        [*search.publications(session, site_id), *experiments.shown(session, site_id)], key=itemgetter(2), reverse=True
    )
    titles = notice_titles(session, site_id)
    return [Shown(notice, titles[notice], at, *search.span_of_notice(session, row_id)) for notice, row_id, at in shown]


def _removals(session: Session, ring: KeyRing, site_id: int) -> list[Removal]:
    removals = []
    for row, count, leaf_index in search.removals(session, site_id, SHOWN_REMOVALS):
        try:
            claims = verify_jws(row.entry, REMARK_TYPE if row.rule else REMOVAL_TYPE, ring)
            rule, reason = str(claims["rule"]), str(claims["reason"])
            # What a remark names stays in its place: it is counted by its own word alone.
            count = int(claims["count"]) if row.rule else count
        except InvalidProof as error:
            rule, reason = "unreadable", error.detail
        removals.append(Removal(row.removed_at, count, rule, reason, leaf_index))
    return removals
